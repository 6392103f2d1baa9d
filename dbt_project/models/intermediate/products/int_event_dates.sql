{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Of everybody's journeys the days from which something is waited for, and when it happened, as far as it is known.
-- Nothing here depends on how far the feeds reach.
with journeys as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.start_date,
        journeys.end_date,
        -- an end is provisional until no later episode can continue the journey
        journeys.end_date + definitions.continuous_treatment_days - 1 as end_known_on,
        journeys.is_successful_completion,
        persons.death_date,
        persons.is_linked_to_police,
        persons.is_linked_to_benefits
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('int_definitions') }} as definitions
    where {{ to_build('journeys.person_id') }}
),

origins as (
    select
        journey_id,
        person_id,
        're-presentation' as event,
        end_date as origin_date,
        end_known_on,
        death_date,
        true as is_linked
    from journeys
    where is_successful_completion and end_date is not null

    union all

    select
        journey_id,
        person_id,
        'reoffence after start' as event,
        start_date as origin_date,
        null as end_known_on,
        death_date,
        is_linked_to_police as is_linked
    from journeys

    union all

    select
        journey_id,
        person_id,
        'reoffence after end' as event,
        end_date as origin_date,
        end_known_on,
        death_date,
        is_linked_to_police as is_linked
    from journeys
    where end_date is not null

    union all

    select
        journeys.journey_id,
        journeys.person_id,
        'first job after end' as event,
        journeys.end_date as origin_date,
        journeys.end_known_on,
        journeys.death_date,
        journeys.is_linked_to_benefits as is_linked
    from journeys
    left join {{ ref('int_employment_spells') }} as jobs
        on
            journeys.person_id = jobs.person_id
            and journeys.end_date between jobs.start_date and {{ or_open('jobs.end_date') }}
    where journeys.end_date is not null and jobs.person_id is null
),

happened as (
    select
        origins.event,
        origins.journey_id,
        min(later.start_date) as happened_on
    from origins
    inner join {{ ref('int_treatment_journeys') }} as later
        on
            origins.person_id = later.person_id
            and origins.journey_id != later.journey_id
            and origins.origin_date <= later.start_date
    where origins.event = 're-presentation'
    group by origins.event, origins.journey_id

    union all

    select
        origins.event,
        origins.journey_id,
        min(offences.offence_date) as happened_on
    from origins
    inner join {{ ref('int_proven_offences') }} as offences
        on
            origins.person_id = offences.person_id
            and origins.origin_date <= offences.offence_date
            and origins.origin_date <= offences.disposal_date
    where origins.event in ('reoffence after start', 'reoffence after end')
    group by origins.event, origins.journey_id

    union all

    select
        origins.event,
        origins.journey_id,
        min(jobs.start_date) as happened_on
    from origins
    inner join {{ ref('int_employment_spells') }} as jobs
        on origins.person_id = jobs.person_id and origins.origin_date < jobs.start_date
    where origins.event = 'first job after end'
    group by origins.event, origins.journey_id
)

select
    origins.journey_id,
    origins.person_id,
    origins.event,
    origins.is_linked,
    origins.origin_date,
    origins.end_known_on,
    origins.death_date,
    happened.happened_on
from origins
left join happened on origins.journey_id = happened.journey_id and origins.event = happened.event
