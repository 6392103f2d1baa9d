-- How long after a journey starts or ends something happened, or is known not to have happened. Built whole: it depends
-- on how far the feeds reach. Deaths compete, so nobody is followed beyond what is known of deaths; a warehouse
-- that never had their register goes by what the other agencies know.
with reach as (
    select
        police.known_from as police_known_from,
        least({{ covered_until(['treatment']) }}, coverage.deaths_covered_until) as treatment_until,
        least({{ covered_until(['treatment', 'benefits']) }}, coverage.deaths_covered_until) as benefits_until,
        least(
            {{ covered_until(['treatment', 'police']) }}, coverage.deaths_covered_until,
            {{ add_months('coverage.police_covered_until', '-reoffence.wait_months') }}
        ) as police_until,
        definitions.continuous_treatment_days
    from {{ ref('int_feed_coverage') }} as coverage
    cross join {{ ref('int_definitions') }} as definitions
    cross join {{ ref('int_police_reach') }} as police
    inner join {{ ref('indicator_definitions') }} as reoffence on reoffence.indicator = 'proven_reoffence_12m'
    -- least() passes over what is missing: without these feeds nothing can be timed
    where
        coverage.treatment_covered_until is not null
        and coverage.police_covered_until is not null
        and coverage.benefits_covered_until is not null
),

journeys as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.start_date,
        -- an end is provisional until no later episode can continue the journey
        case
            when journeys.end_date + reach.continuous_treatment_days - 1 <= reach.treatment_until
                then journeys.end_date
        end as end_date,
        journeys.is_successful_completion,
        persons.death_date,
        persons.is_linked_to_police,
        persons.is_linked_to_benefits,
        reach.police_known_from,
        reach.treatment_until,
        reach.police_until,
        reach.benefits_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join reach
),

origins as (
    select
        journey_id,
        person_id,
        're-presentation' as event,
        end_date as origin_date,
        treatment_until as followed_until,
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
        police_until as followed_until,
        death_date,
        is_linked_to_police as is_linked
    from journeys
    where start_date >= police_known_from

    union all

    select
        journey_id,
        person_id,
        'reoffence after end' as event,
        end_date as origin_date,
        police_until as followed_until,
        death_date,
        is_linked_to_police as is_linked
    from journeys
    where end_date >= police_known_from

    union all

    select
        journeys.journey_id,
        journeys.person_id,
        'first job after end' as event,
        journeys.end_date as origin_date,
        journeys.benefits_until as followed_until,
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
),

ended as (
    select
        origins.*,
        happened.happened_on,
        least(origins.followed_until, origins.death_date, happened.happened_on) as ended_on
    from origins
    left join happened on origins.journey_id = happened.journey_id and origins.event = happened.event
    where origins.origin_date <= origins.followed_until and origins.origin_date < {{ or_open('origins.death_date') }}
)

select
    journey_id,
    person_id,
    event,
    is_linked,
    origin_date,
    (ended_on - origin_date)::integer as days,
    -- on the day of a death the event came first
    case
        when ended_on = happened_on then 'event'
        when ended_on = death_date then 'death'
        else 'censored'
    end as outcome
from ended
