{{ config(materialized='incremental') }}

with jobs as (
    select
        links.person_id,
        spells.start_date,
        spells.end_date,
        coalesce(spells.is_end_defaulted, false) as is_end_defaulted
    from {{ ref('stg_benefits__employment_spells') }} as spells
    inner join {{ ref('int_links_to_build') }} as links on spells.record_key = links.record_key
),

numbered as (
    {{ number_islands('jobs', ['person_id']) }}
)

select
    person_id,
    min(start_date) as start_date,
    {{ latest_end('end_date') }} as end_date,
    -- the end of the job that lasted longest is the end of the spell; a reported end outweighs a defaulted one
    (array_agg(is_end_defaulted order by spell_end desc, is_end_defaulted asc))[1] as is_end_defaulted,
    count(*) as merged_jobs
from numbered
group by person_id, island
