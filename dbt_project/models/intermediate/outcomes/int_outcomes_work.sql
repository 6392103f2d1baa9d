{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with followed as (
    select
        journeys.journey_id,
        journeys.person_id,
        definitions.indicator,
        {{ add_months('journeys.end_date', 'definitions.window_length') }} as asked_on,
        persons.death_date,
        persons.is_linked_to_benefits,
        {{ covered_until(['treatment', 'benefits']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('indicator_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where
        journeys.end_date is not null
        and definitions.indicator in ('in_work_off_benefit_6m', 'in_work_off_benefit_12m')
        and {{ to_build('journeys.person_id') }}
),

employed as (
    select
        followed.journey_id,
        followed.indicator
    from followed
    inner join {{ ref('int_employment_spells') }} as jobs
        on
            followed.person_id = jobs.person_id
            and followed.asked_on between jobs.start_date and {{ or_open('jobs.end_date') }}
    group by followed.journey_id, followed.indicator
),

claiming as (
    select
        followed.journey_id,
        followed.indicator
    from followed
    inner join {{ ref('int_out_of_work_spells') }} as claims
        on
            followed.person_id = claims.person_id
            and followed.asked_on between claims.start_date and {{ or_open('claims.end_date') }}
    group by followed.journey_id, followed.indicator
),

found as (
    select
        followed.*,
        employed.journey_id is not null
        and claiming.journey_id is null
        and followed.asked_on < {{ or_open('followed.death_date') }} as is_in_work_off_benefit
    from followed
    left join employed on followed.journey_id = employed.journey_id and followed.indicator = employed.indicator
    left join claiming on followed.journey_id = claiming.journey_id and followed.indicator = claiming.indicator
)

select
    journey_id,
    person_id,
    indicator,
    asked_on as observable_on,
    {{ outcome_status(
        happened='is_in_work_off_benefit',
        follow_up_ends_on='asked_on',
        observable_on='asked_on',
        covered_until='covered_until',
        death_date='death_date',
        is_linked='is_linked_to_benefits'
    ) }} as status
from found
