{{ config(materialized='view') }}

{#- Each part selects the columns of an answer: indicator, journey_id, unit_key, counts_from, counts_to, status. -#}
with journeys as (
    select
        *,
        case
            when drug_group = 'opiate' then 'completion_opiate'
            when drug_group in ('non-opiate only', 'non-opiate and alcohol') then 'completion_non_opiate'
            when drug_group = 'alcohol only' then 'completion_alcohol'
        end as completion_indicator
    from {{ ref('int_treatment_journeys') }}
    where {{ to_build('person_id') }}
),

-- Answers that count on the day the journey ended.
after_treatment as (
    select
        outcomes.indicator,
        outcomes.journey_id,
        outcomes.status
    from {{ ref('int_outcomes_treatment') }} as outcomes
    where {{ to_build('outcomes.person_id') }}

    union all

    select
        outcomes.indicator,
        outcomes.journey_id,
        outcomes.status
    from {{ ref('int_outcomes_work') }} as outcomes
    where {{ to_build('outcomes.person_id') }}

    union all

    select
        outcomes.indicator,
        outcomes.journey_id,
        outcomes.status
    from {{ ref('int_outcomes_accommodation') }} as outcomes
    where {{ to_build('outcomes.person_id') }}

    union all

    select
        answer.outcome || '_' || outcomes.horizon_months || 'm' as indicator,
        outcomes.journey_id,
        answer.status
    from {{ ref('int_outcomes_sustained') }} as outcomes
    cross join
        lateral (
            values
            {%- for outcome in sustained_outcomes() %}
                ('{{ outcome }}', outcomes.{{ outcome }}){% if not loop.last %},{% endif %}
            {%- endfor %}
        ) as answer (outcome, status)
    where {{ to_build('outcomes.person_id') }}

    union all

    select
        answer.indicator,
        outcomes.journey_id,
        answer.status
    from {{ ref('int_outcomes_top') }} as outcomes
    cross join
        lateral (
            values
            ('top_exit_compliance', outcomes.top_at_exit),
            ('housing_problem_at_exit', {{ yes_or_no('outcomes.has_acute_housing_problem_at_exit') }}),
            ('in_work_at_exit', {{ yes_or_no('outcomes.is_in_work_at_exit') }})
        ) as answer (indicator, status)
    where {{ to_build('outcomes.person_id') }}
),

-- Those that count on the day treatment began.
from_the_start as (
    select
        outcomes.indicator,
        outcomes.journey_id,
        outcomes.status
    from {{ ref('int_outcomes_effective') }} as outcomes
    where
        outcomes.indicator in ('retained_12_weeks', 'unplanned_exit_12_weeks')
        and {{ to_build('outcomes.person_id') }}

    union all

    select
        answer.indicator,
        outcomes.journey_id,
        answer.status
    from {{ ref('int_outcomes_top') }} as outcomes
    cross join
        lateral (
            values
            ('top_start_compliance', outcomes.top_at_start),
            ('top_review_compliance', outcomes.top_at_review),
            ('housing_problem_at_start', {{ yes_or_no('outcomes.has_acute_housing_problem_at_start') }}),
            ('in_work_at_start', {{ yes_or_no('outcomes.is_in_work_at_start') }})
        ) as answer (indicator, status)
    where {{ to_build('outcomes.person_id') }}
),

-- Change is known of people with both profiles alone, and counts on the day of the review.
changed as (
    select
        answer.indicator,
        outcomes.journey_id,
        outcomes.review_date,
        answer.status
    from {{ ref('int_outcomes_top') }} as outcomes
    cross join
        lateral (
            values
            {%- for item in top_use_items() if item != 'other_drug_days' %}
                {%- set class = 'outcomes.' ~ item ~ '_class' %}
                {%- for answer in ['abstinent', 'improved'] %}
                    (
                        'top_{{ item | replace('_days', '') }}_{{ answer }}',
                        {{ yes_or_no("nullif(" ~ class ~ ", 'not used at start') = '" ~ answer ~ "'") }}
                    ){% if not loop.last %},{% endif %}
                {%- endfor %}
                {%- if not loop.last %},{% endif %}
            {%- endfor %}
        ) as answer (indicator, status)
    where outcomes.review_date is not null and {{ to_build('outcomes.person_id') }}
),

units as (
    select
        answers.indicator,
        journeys.journey_id,
        journeys.journey_id::text as unit_key,
        journeys.end_date as counts_from,
        journeys.end_date as counts_to,
        answers.status
    from after_treatment as answers
    inner join journeys on answers.journey_id = journeys.journey_id

    union all

    select
        answers.indicator,
        journeys.journey_id,
        journeys.journey_id::text as unit_key,
        journeys.treatment_start_date as counts_from,
        journeys.treatment_start_date as counts_to,
        answers.status
    from from_the_start as answers
    inner join journeys on answers.journey_id = journeys.journey_id
    where journeys.treatment_start_date is not null

    union all

    select
        indicator,
        journey_id,
        journey_id::text as unit_key,
        review_date as counts_from,
        review_date as counts_to,
        status
    from changed

    union all

    -- Everyone in treatment in the period once, effective by any of their journeys.
    select
        answers.indicator,
        journeys.journey_id,
        journeys.person_id::text as unit_key,
        journeys.treatment_start_date as counts_from,
        journeys.end_date as counts_to,
        answers.status
    from {{ ref('int_outcomes_effective') }} as answers
    inner join journeys on answers.journey_id = journeys.journey_id
    where
        answers.indicator = 'effective_treatment'
        -- treatment dated after the discharge lasted no day
        and {{ or_open('journeys.end_date') }} >= journeys.treatment_start_date

    union all

    -- Everyone of the drug group in treatment in the period is counted ...
    select
        completion_indicator as indicator,
        journey_id,
        person_id::text as unit_key,
        start_date as counts_from,
        end_date as counts_to,
        'no' as status
    from journeys
    where completion_indicator is not null

    union all

    -- ... and who completed in it, once it is known that they have not come back.
    select
        journeys.completion_indicator as indicator,
        journeys.journey_id,
        journeys.person_id::text as unit_key,
        journeys.end_date as counts_from,
        journeys.end_date as counts_to,
        case answers.status when 'no' then 'yes' when 'yes' then 'no' else answers.status end as status
    from {{ ref('int_outcomes_treatment') }} as answers
    inner join journeys on answers.journey_id = journeys.journey_id
    where answers.indicator = 're_presentation_6m' and journeys.completion_indicator is not null
)

select
    units.indicator,
    journeys.person_id,
    units.unit_key,
    units.counts_from,
    units.counts_to,
    journeys.area_code,
    journeys.provider_code,
    journeys.drug_group,
    (units.status = 'yes')::integer as numerator,
    units.status
from units
inner join journeys on units.journey_id = journeys.journey_id
where units.status != 'not applicable'
