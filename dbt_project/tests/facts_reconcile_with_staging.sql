-- Every linked row of staging is in exactly one fact row, by count: nothing is lost in a join and nothing doubled.
-- Where facts merge what overlaps, people are counted.
with months as (
    select
        person_id,
        min(month_start) as first_month,
        max(month_start) + interval '1 month' as before_day
    from {{ ref('fct_person_months') }}
    group by person_id
),

expected as (
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
        'fct_arrests' as fact,
        count(*) as rows_expected
    from {{ ref('stg_police__arrests') }} as arrests
    inner join {{ ref('stg_linkage__person_link') }} as links on arrests.record_key = links.record_key

    union all

    select
        'fct_custody' as fact,
        count(distinct links.person_id) as rows_expected
    from (
        select record_key from {{ ref('stg_custody__receptions') }}
        union
        select record_key from {{ ref('stg_custody__releases') }}
    ) as stays
    inner join {{ ref('stg_linkage__person_link') }} as links on stays.record_key = links.record_key

    union all

    select
        'fct_priority_offending' as fact,
        count(distinct links.person_id) as rows_expected
    from {{ ref('stg_priority_offenders__nominations') }} as nominations
    inner join {{ ref('stg_linkage__person_link') }} as links on nominations.record_key = links.record_key

    union all

    select
        'fct_deaths' as fact,
        count(distinct links.person_id) as rows_expected
    from {{ ref('stg_deaths__registrations') }} as registrations
    inner join {{ ref('stg_linkage__person_link') }} as links on registrations.record_key = links.record_key
    where links.person_id in (select dim_person.person_id from {{ ref('dim_person') }} as dim_person)

    union all

    select
        'fct_top_reviews' as fact,
        count(*) as rows_expected
    from (
        select distinct
            links.person_id,
            ndtms.provider_code,
            ndtms.partnership_code,
            ndtms.triage_date,
            ndtms.top_date,
            ndtms.top_stage_code
        from {{ ref('stg_treatment__ndtms') }} as ndtms
        inner join {{ ref('stg_linkage__person_link') }} as links on ndtms.record_key = links.record_key
        where ndtms.triage_date is not null and ndtms.top_date is not null
    ) as reviews

    union all

    select
        'fct_interventions' as fact,
        count(*) as rows_expected
    from (
        select distinct
            links.person_id,
            ndtms.provider_code,
            ndtms.partnership_code,
            ndtms.triage_date,
            ndtms.modality_code,
            ndtms.modality_setting_code,
            ndtms.modality_referral_date
        from {{ ref('stg_treatment__ndtms') }} as ndtms
        inner join {{ ref('stg_linkage__person_link') }} as links on ndtms.record_key = links.record_key
        where ndtms.triage_date is not null and ndtms.modality_code is not null
    ) as interventions

    union all

    select
        'fct_treatment_episodes' as fact,
        sum(episode_count) as rows_expected
    from {{ ref('fct_treatment_journeys') }}

    union all

    -- offences that the months of a person reach, up to the month of death
    select
        'fct_person_months' as fact,
        count(*) as rows_expected
    from {{ ref('fct_proven_offences') }} as offences
    inner join months
        on
            offences.person_id = months.person_id
            and offences.offence_date >= months.first_month
            and offences.offence_date < months.before_day

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
        'fct_arrests' as fact,
        count(*) as rows_found
    from {{ ref('fct_arrests') }}

    union all

    select
        'fct_custody' as fact,
        count(distinct person_id) as rows_found
    from {{ ref('fct_custody') }}

    union all

    select
        'fct_priority_offending' as fact,
        count(distinct person_id) as rows_found
    from {{ ref('fct_priority_offending') }}

    union all

    select
        'fct_deaths' as fact,
        count(*) as rows_found
    from {{ ref('fct_deaths') }}
    where is_registered

    union all

    select
        'fct_top_reviews' as fact,
        count(*) as rows_found
    from {{ ref('fct_top_reviews') }}

    union all

    select
        'fct_interventions' as fact,
        count(*) as rows_found
    from {{ ref('fct_interventions') }}

    union all

    select
        'fct_treatment_episodes' as fact,
        nullif(count(*), 0) as rows_found
    from {{ ref('fct_treatment_episodes') }}

    union all

    select
        'fct_person_months' as fact,
        coalesce(sum(proven_offences), 0) as rows_found
    from {{ ref('fct_person_months') }}

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
where expected.rows_expected is distinct from found.rows_found
