{{ config(materialized='incremental') }}

-- What a death is to treatment: the last journey that had begun by then decides.
with last_journeys as (
    select distinct on (deaths.person_id)
        deaths.person_id,
        journeys.journey_id,
        journeys.end_date,
        reasons.is_death
    from {{ ref('int_deaths') }} as deaths
    inner join {{ ref('int_treatment_journeys') }} as journeys
        on deaths.person_id = journeys.person_id and deaths.death_date >= journeys.start_date
    left join {{ ref('discharge_reasons') }} as reasons on journeys.discharge_reason_code = reasons.reason_code
    where {{ to_build('deaths.person_id') }}
    order by
        deaths.person_id asc, {{ or_open('journeys.end_date') }} desc, journeys.start_date desc,
        journeys.journey_number desc
)

select
    deaths.person_id,
    deaths.death_date,
    deaths.reported_by,
    deaths.underlying_cause_code,
    case
        when last_journeys.journey_id is null then 'never in treatment'
        when last_journeys.is_death or deaths.death_date <= {{ or_open('last_journeys.end_date') }} then 'in treatment'
        when
            deaths.death_date
            < {{ add_months('last_journeys.end_date', 'definitions.death_after_treatment_months') }}
            then 'within a year of leaving'
        else 'later'
    end as death_class,
    case
        when deaths.reported_by != 'deaths' then 'not registered'
        when causes.is_drug_misuse then 'drug misuse'
        when causes.is_drug_poisoning then 'other drug poisoning'
        when causes.is_alcohol_specific then 'alcohol-specific'
        else 'other'
    end as cause_class,
    coalesce(causes.is_drug_poisoning, false) as is_drug_poisoning,
    coalesce(causes.is_drug_misuse, false) as is_drug_misuse,
    last_journeys.journey_id as last_journey_id,
    deaths.death_date - last_journeys.end_date as days_after_treatment
from {{ ref('int_deaths') }} as deaths
left join last_journeys on deaths.person_id = last_journeys.person_id
left join {{ ref('int_registered_causes') }} as causes
    on deaths.person_id = causes.person_id and deaths.death_date = causes.death_date and deaths.reported_by = 'deaths'
cross join {{ ref('int_definitions') }} as definitions
where {{ to_build('deaths.person_id') }}
