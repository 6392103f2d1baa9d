{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with entered as (
    select
        person_id,
        'treatment start' as cohort,
        'proven_reoffence_from_start_12m' as indicator,
        'treatment start' as entry_type,
        start_date as entry_date,
        start_date as offences_from,
        start_date as proven_from,
        journey_id,
        drug_group,
        area_code,
        provider_code
    from {{ ref('int_treatment_journeys') }}
    where {{ to_build('person_id') }}

    union all

    select
        person_id,
        'treatment end' as cohort,
        'proven_reoffence_12m' as indicator,
        'treatment end' as entry_type,
        end_date as entry_date,
        end_date as offences_from,
        end_date as proven_from,
        journey_id,
        drug_group,
        area_code,
        provider_code
    from {{ ref('int_treatment_journeys') }}
    where end_date is not null and {{ to_build('person_id') }}
),

-- What brings a person into the Ministry's cohort. Sentences of imprisonment count from the release.
sanctions as (
    select
        person_id,
        'release from prison' as entry_type,
        1 as precedence,
        end_date as entry_date
    from {{ ref('int_time_in_custody') }}
    where is_sentenced and is_released_to_community and {{ to_build('person_id') }}

    union all

    select
        person_id,
        case when is_court_conviction then 'court conviction' else 'caution' end as entry_type,
        case when is_court_conviction then 2 else 3 end as precedence,
        disposal_date as entry_date
    from {{ ref('int_proven_offences') }}
    where not is_immediate_custody and {{ to_build('person_id') }}
),

first_sanctions as (
    select distinct on (person_id, date_trunc('quarter', entry_date))
        person_id,
        entry_type,
        entry_date
    from sanctions
    order by person_id asc, date_trunc('quarter', entry_date) asc, entry_date asc, precedence asc
),

first_tests as (
    select distinct on (person_id, date_trunc('quarter', arrest_date))
        person_id,
        arrest_date as entry_date
    from {{ ref('int_arrests') }}
    where is_positive and {{ to_build('person_id') }}
    order by person_id asc, date_trunc('quarter', arrest_date) asc, arrest_date asc
),

identified as (
    -- what was proven on the day of the sanction is what was sanctioned
    select
        person_id,
        'proven offence' as cohort,
        'proven_reoffending' as indicator,
        entry_type,
        entry_date,
        entry_date as offences_from,
        entry_date + 1 as proven_from
    from first_sanctions

    union all

    -- what was done on the day of the arrest is what the arrest was for
    select
        person_id,
        'positive drug test' as cohort,
        'drug_related_offending' as indicator,
        'positive drug test' as entry_type,
        entry_date,
        entry_date + 1 as offences_from,
        entry_date as proven_from
    from first_tests
)

select
    {{ surrogate_key(['person_id', 'cohort', 'entry_date', 'journey_id']) }} as entry_id,
    *
from entered

union all

select
    {{ surrogate_key(['identified.person_id', 'identified.cohort', 'identified.entry_date']) }} as entry_id,
    identified.person_id,
    identified.cohort,
    identified.indicator,
    identified.entry_type,
    identified.entry_date,
    identified.offences_from,
    identified.proven_from,
    null::uuid as journey_id,
    null::text as drug_group,
    residence.area_code,
    null::text as provider_code
from identified
left join {{ ref('int_police_residence') }} as residence
    on
        identified.person_id = residence.person_id
        and identified.entry_date between residence.start_date and {{ or_open('residence.end_date') }}
