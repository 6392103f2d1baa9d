-- Every linked row of staging is in exactly one fact row, by count: nothing is lost in a join and nothing doubled.
with expected as (
    select
        'fct_proven_offences' as fact,
        count(*) as rows_expected
    from {{ ref('stg_police__offences') }} as offences
    inner join {{ ref('stg_linkage__person_link') }} as links on offences.record_key = links.record_key

    union all

    select
        'fct_benefit_spells' as fact,
        count(*) as rows_expected
    from {{ ref('stg_benefits__benefit_spells') }} as spells
    inner join {{ ref('stg_linkage__person_link') }} as links on spells.record_key = links.record_key

    union all

    select
        'fct_employment_spells' as fact,
        count(*) as rows_expected
    from {{ ref('stg_benefits__employment_spells') }} as jobs
    inner join {{ ref('stg_linkage__person_link') }} as links on jobs.record_key = links.record_key

    union all

    select
        'fct_treatment_journeys' as fact,
        count(*) as rows_expected
    from (
        select distinct
            links.person_id,
            ndtms.provider_code,
            ndtms.partnership_code,
            ndtms.triage_date
        from {{ ref('stg_treatment__ndtms') }} as ndtms
        inner join {{ ref('stg_linkage__person_link') }} as links on ndtms.record_key = links.record_key
        where ndtms.triage_date is not null
    ) as episodes

    union all

    select
        'outcome_recovery' as fact,
        count(*) as rows_expected
    from {{ ref('fct_treatment_journeys') }}
    where end_date is not null

    union all

    -- people whom the register of deaths alone knows are left out
    select
        'dim_person' as fact,
        count(*) as rows_expected
    from {{ ref('stg_linkage__person_link') }}
    where person_id in (
        select links.person_id
        from {{ ref('stg_linkage__person_link') }} as links
        where links.feed != 'deaths'
    )
),

found as (
    select
        'fct_proven_offences' as fact,
        count(*) as rows_found
    from {{ ref('fct_proven_offences') }}

    union all

    select
        'fct_benefit_spells' as fact,
        coalesce(sum(merged_spells), 0) as rows_found
    from {{ ref('fct_benefit_spells') }}

    union all

    select
        'fct_employment_spells' as fact,
        coalesce(sum(merged_jobs), 0) as rows_found
    from {{ ref('fct_employment_spells') }}

    union all

    select
        'fct_treatment_journeys' as fact,
        coalesce(sum(episode_count), 0) as rows_found
    from {{ ref('fct_treatment_journeys') }}

    union all

    select
        'outcome_recovery' as fact,
        count(*) as rows_found
    from {{ ref('outcome_recovery') }}

    union all

    select
        'dim_person' as fact,
        coalesce(sum(record_count), 0) as rows_found
    from {{ ref('dim_person') }}
)

select
    expected.fact,
    expected.rows_expected,
    found.rows_found
from expected
inner join found on expected.fact = found.fact
where expected.rows_expected != found.rows_found
