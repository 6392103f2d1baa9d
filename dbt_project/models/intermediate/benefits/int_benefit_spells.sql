{{ config(materialized='incremental') }}

-- A change of conditionality or a second claimant number splits a claim; what touches or overlaps is one spell again.
with classified as (
    select
        links.person_id,
        spells.benefit_type_code,
        types.is_out_of_work
        and (not types.depends_on_conditionality or coalesce(regimes.is_out_of_work, true)) as is_out_of_work,
        spells.start_date,
        spells.end_date
    from {{ ref('stg_benefits__benefit_spells') }} as spells
    inner join {{ ref('int_links_to_build') }} as links on spells.record_key = links.record_key
    inner join {{ ref('benefit_types') }} as types on spells.benefit_type_code = types.benefit_type_code
    left join {{ ref('benefit_conditionality') }} as regimes on spells.conditionality_code = regimes.conditionality_code
),

numbered as (
    {{ number_islands('classified', ['person_id', 'benefit_type_code', 'is_out_of_work']) }}
)

select
    person_id,
    benefit_type_code,
    is_out_of_work,
    min(start_date) as start_date,
    {{ latest_end('end_date') }} as end_date,
    count(*) as merged_spells
from numbered
group by person_id, benefit_type_code, is_out_of_work, island
