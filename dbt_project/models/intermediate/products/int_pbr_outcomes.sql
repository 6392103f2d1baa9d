{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Every outcome of every journey in which treatment began, at all certainties: what is known of it, and from when.
with journeys as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.end_date,
        persons.death_date,
        known.had_housing_problem,
        known.has_accepted_vaccination,
        known.has_completed_vaccination,
        journeys.treatment_start_date + definitions.top_review_latest_days as review_until,
        journeys.end_date + definitions.continuous_treatment_days - 1 as left_observable_on,
        -- The end is provisional until no later episode can continue the journey.
        greatest(
            journeys.end_date + definitions.top_exit_days, journeys.end_date + definitions.continuous_treatment_days - 1
        ) as exit_observable_on,
        {{ covered_until(['treatment']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    inner join {{ ref('int_pbr_journeys') }} as known on journeys.journey_id = known.journey_id
    cross join {{ ref('int_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where journeys.treatment_start_date is not null and {{ to_build('journeys.person_id') }}
),

rules as (
    select max(value) filter (where rule = 'quality_of_life_score') as quality_of_life_score
    from {{ ref('pbr_rules') }}
),

profiles as (
    select
        journeys.*,
        changes.start_date is not null as has_start_profile,
        changes.review_date is not null as has_review_profile,
        greatest(
            {%- for item in top_use_items() if item != 'injecting_days' %}
                changes.{{ item }}_at_start{% if not loop.last %},{% endif %}
            {%- endfor %}
        ) > 0 as used_at_start,
        {%- for found, classes in [
            ('has_improved', "'abstinent', 'improved'"), ('has_deteriorated', "'deteriorated'")
        ] %}
            (
                {%- for item in top_use_items() if item != 'injecting_days' %}
                    coalesce(changes.{{ item }}_class in ({{ classes }}), false){% if not loop.last %} or{% endif %}
                {%- endfor %}
            ) as {{ found }},
        {%- endfor %}
        changes.injecting_days_at_start,
        changes.quality_of_life_at_start,
        journeys.had_housing_problem
        or coalesce(changes.has_acute_housing_problem_at_start, false)
        or coalesce(changes.is_at_risk_of_eviction_at_start, false) as had_housing_need,
        exits.injecting_days as injecting_days_at_exit,
        exits.quality_of_life as quality_of_life_at_exit,
        exits.has_acute_housing_problem or exits.is_at_risk_of_eviction as has_housing_need_at_exit
    from journeys
    inner join {{ ref('int_outcomes_top') }} as changes on journeys.journey_id = changes.journey_id
    left join {{ ref('int_top_reviews') }} as exits
        on journeys.journey_id = exits.journey_id and exits.is_standing and exits.review_window = 'exit'
),

-- What the profiles and the provider tell. Where a profile is missing nothing was measured: that is not a failure.
measured as (
    select
        profiles.journey_id,
        answer.outcome,
        answer.observable_on,
        {{ outcome_status(
            happened='answer.happened',
            follow_up_ends_on='answer.follow_up_ends_on',
            observable_on='answer.observable_on',
            covered_until='profiles.covered_until',
            death_date='profiles.death_date',
            is_linked='answer.is_measured',
            is_applicable='answer.is_applicable',
            otherwise='no'
        ) }} as status
    from profiles
    cross join rules
    cross join
        lateral (
            values
            (
                'improved_in_treatment',
                profiles.has_improved and not profiles.has_deteriorated,
                profiles.has_start_profile and profiles.has_review_profile,
                not profiles.has_start_profile or coalesce(profiles.used_at_start, false),
                profiles.review_until,
                profiles.review_until
            ),
            (
                'stopped_injecting',
                profiles.injecting_days_at_exit = 0,
                profiles.injecting_days_at_exit is not null,
                profiles.injecting_days_at_start > 0,
                profiles.end_date,
                profiles.exit_observable_on
            ),
            (
                'hepatitis_b_course',
                profiles.has_completed_vaccination,
                true,
                profiles.has_accepted_vaccination,
                profiles.end_date,
                profiles.left_observable_on
            ),
            (
                'no_housing_need',
                not profiles.has_housing_need_at_exit,
                profiles.has_housing_need_at_exit is not null,
                profiles.had_housing_need,
                profiles.end_date,
                profiles.exit_observable_on
            ),
            (
                'quality_of_life',
                profiles.quality_of_life_at_exit >= rules.quality_of_life_score,
                profiles.quality_of_life_at_exit is not null,
                profiles.quality_of_life_at_start < rules.quality_of_life_score,
                profiles.end_date,
                profiles.exit_observable_on
            )
        ) as answer (outcome, happened, is_measured, is_applicable, follow_up_ends_on, observable_on)
    where coalesce(answer.is_applicable, false)
),

answers as (
    select
        journey_id,
        outcome,
        observable_on,
        replace(status, 'not linked', 'not measured') as status
    from measured

    union all

    select
        journey_id,
        'planned_exit' as outcome,
        observable_on,
        status
    from {{ ref('int_outcomes_treatment') }}
    where indicator = 'successful_completion' and {{ to_build('person_id') }}

    union all

    select
        sustained.journey_id,
        answer.outcome || '_' || sustained.horizon_months || 'm' as outcome,
        answer.observable_on,
        answer.status
    from {{ ref('int_outcomes_sustained') }} as sustained
    cross join
        lateral (
            values
            ('not_back', sustained.not_back_in_treatment, sustained.not_back_in_treatment_observable_on),
            ('no_proven_offence', sustained.no_proven_offence, sustained.no_proven_offence_observable_on)
        ) as answer (outcome, status, observable_on)
    where {{ to_build('sustained.person_id') }}
)

select
    journeys.journey_id,
    journeys.person_id,
    outcomes.outcome,
    answers.observable_on,
    case
        when answers.status is not null and answers.observable_on is not null then answers.status
        -- Outcomes of a journey that goes on may yet be asked.
        when
            journeys.end_date is null and (answers.journey_id is not null or outcomes.outcome in (
                'planned_exit', 'not_back_6m', 'not_back_12m', 'no_proven_offence_6m', 'no_proven_offence_12m'
            ))
            then 'not yet observable'
        else 'not applicable'
    end as status
from journeys
cross join {{ ref('pbr_outcomes') }} as outcomes
left join answers on journeys.journey_id = answers.journey_id and outcomes.outcome = answers.outcome
