{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with standing as (
    select *
    from {{ ref('int_top_reviews') }}
    where is_standing and {{ to_build('person_id') }}
),

thresholds as (
    select
        {%- for item in top_use_items() %}
            max(reliable_change_days) filter (where item = '{{ item }}') as {{ item }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('top_change_thresholds') }}
),

work_days as (
    select
        max(window_length) filter (where indicator = 'in_work_at_start') as at_start,
        max(window_length) filter (where indicator = 'in_work_at_exit') as at_exit
    from {{ ref('indicator_definitions') }}
),

windowed as (
    select
        journeys.journey_id,
        journeys.person_id,
        persons.death_date,
        journeys.treatment_start_date + definitions.top_start_days as start_until,
        journeys.treatment_start_date + definitions.top_review_latest_days as review_until,
        journeys.end_date + definitions.top_exit_days as exit_until,
        -- The end is provisional until no later episode can continue the journey.
        greatest(
            journeys.end_date + definitions.top_exit_days, journeys.end_date + definitions.continuous_treatment_days - 1
        ) as exit_observable_on,
        journeys.treatment_start_date is not null as has_started,
        coalesce(
            journeys.treatment_start_date + definitions.top_review_latest_days
            < {{ or_open('journeys.end_date') }}, false
        ) as has_lasted,
        journeys.end_date is not null and journeys.discharge_reason_group != 'died' as has_left,
        {{ covered_until(['treatment']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('int_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where {{ to_build('journeys.person_id') }}
)

select
    windowed.journey_id,
    windowed.person_id,
    {%- for stage, applies, observable_on in [
        ('start', 'has_started', 'start_until'),
        ('review', 'has_lasted', 'review_until'),
        ('exit', 'has_left', 'exit_observable_on')
    ] %}
        {{ outcome_status(
            happened='at_' ~ stage ~ '.journey_id is not null',
            follow_up_ends_on='windowed.' ~ stage ~ '_until',
            observable_on='windowed.' ~ observable_on,
            covered_until='windowed.covered_until',
            death_date='windowed.death_date',
            is_applicable='windowed.' ~ applies
        ) }} as top_at_{{ stage }},
        case when windowed.{{ applies }} then windowed.{{ observable_on }} end as top_at_{{ stage }}_observable_on,
    {%- endfor %}
    {%- for item in top_use_items() %}
        at_start.{{ item }} as {{ item }}_at_start,
        at_review.{{ item }} - at_start.{{ item }} as {{ item }}_change,
        {{ top_change_class('at_start.' ~ item, 'at_review.' ~ item, 'thresholds.' ~ item) }} as {{ item }}_class,
    {%- endfor %}
    {%- for item in top_other_items() %}
        at_start.{{ item }} as {{ item }}_at_start,
        at_review.{{ item }} - at_start.{{ item }} as {{ item }}_change,
    {%- endfor %}
    {%- for stage in ['start', 'exit'] %}
        at_{{ stage }}.has_acute_housing_problem as has_acute_housing_problem_at_{{ stage }},
        at_{{ stage }}.is_at_risk_of_eviction as is_at_risk_of_eviction_at_{{ stage }},
        at_{{ stage }}.paid_work_days >= work_days.at_{{ stage }} as is_in_work_at_{{ stage }},
        at_{{ stage }}.education_days > 0 as is_in_education_at_{{ stage }},
    {%- endfor %}
    at_start.review_date as start_date,
    at_review.review_date,
    at_exit.review_date as exit_date
from windowed
left join standing as at_start
    on windowed.journey_id = at_start.journey_id and at_start.review_window = 'start'
left join standing as at_review
    on windowed.journey_id = at_review.journey_id and at_review.review_window = 'review'
left join standing as at_exit
    on windowed.journey_id = at_exit.journey_id and at_exit.review_window = 'exit'
cross join thresholds
cross join work_days
