{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with ended as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.end_date,
        journeys.is_successful_completion,
        persons.death_date,
        -- The last day on which a modality may start that continues the journey: until then its end is provisional.
        journeys.end_date + definitions.continuous_treatment_days - 1 as completion_observable_on,
        {{ covered_until(['treatment']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('int_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where journeys.end_date is not null and {{ to_build('journeys.person_id') }}
),

followed as (
    select
        ended.*,
        definitions.indicator,
        {{ add_months('ended.end_date', 'definitions.window_length') }} as re_presentation_before
    from ended
    cross join {{ ref('indicator_definitions') }} as definitions
    where definitions.indicator in ('re_presentation_6m', 're_presentation_12m')
),

returned as (
    select
        ended.journey_id,
        min(later.start_date) as returned_on
    from ended
    inner join {{ ref('int_treatment_journeys') }} as later
        on
            ended.person_id = later.person_id
            and ended.journey_id != later.journey_id
            and ended.end_date <= later.start_date
            and {{ or_open('ended.death_date') }} >= later.start_date
    where ended.is_successful_completion
    group by ended.journey_id
)

select
    journey_id,
    person_id,
    'successful_completion' as indicator,
    completion_observable_on as observable_on,
    -- A journey that ended in death has its outcome: it was not completed. So nothing is censored here.
    {{ outcome_status(
        happened='is_successful_completion',
        follow_up_ends_on='end_date',
        observable_on='completion_observable_on',
        covered_until='covered_until',
        death_date='null::date'
    ) }} as status
from ended

union all

select
    followed.journey_id,
    followed.person_id,
    followed.indicator,
    case when followed.is_successful_completion then followed.re_presentation_before - 1 end as observable_on,
    {{ outcome_status(
        happened='returned.returned_on < followed.re_presentation_before',
        follow_up_ends_on='followed.re_presentation_before - 1',
        observable_on='followed.re_presentation_before - 1',
        covered_until='followed.covered_until',
        death_date='followed.death_date',
        is_applicable='followed.is_successful_completion'
    ) }} as status
from followed
left join returned on followed.journey_id = returned.journey_id
