{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with started as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.treatment_start_date,
        journeys.end_date,
        journeys.is_successful_completion,
        definitions.indicator,
        definitions.window_length,
        journeys.treatment_start_date + definitions.window_length as kept_until,
        -- Death counts when it ended the journey. Whoever left and died later had left; whoever completed was alive to;
        -- and a death before treatment began is that of somebody else, linked wrongly.
        case
            when journeys.is_successful_completion then null
            when
                persons.death_date between journeys.treatment_start_date and {{ or_open('journeys.end_date') }}
                or journeys.discharge_reason_group = 'died'
                then least(persons.death_date, journeys.end_date)
        end as died_in_treatment_on,
        -- A journey that ended the day before may be continued until then.
        journeys.treatment_start_date + definitions.window_length + rules.continuous_treatment_days - 2
            as observable_on,
        {{ covered_until(['treatment']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('indicator_definitions') }} as definitions
    cross join {{ ref('int_definitions') }} as rules
    cross join {{ ref('int_feed_coverage') }} as coverage
    where
        journeys.treatment_start_date is not null
        and definitions.indicator in ('effective_treatment', 'retained_12_weeks', 'unplanned_exit_12_weeks')
        and {{ to_build('journeys.person_id') }}
),

kept as (
    select
        started.*,
        coalesce(least(started.end_date, started.died_in_treatment_on) >= started.kept_until, true) as is_kept
    from started
),

found as (
    select
        kept.*,
        case kept.indicator
            when 'retained_12_weeks' then kept.is_kept
            when 'effective_treatment' then kept.is_kept or kept.is_successful_completion
            else not kept.is_kept and not kept.is_successful_completion and kept.died_in_treatment_on is null
        end as has_happened
    from kept
),

-- A wait begins with the referral to the first intervention of a journey; dates that contradict each other tell none.
referred as (
    select
        interventions.journey_id,
        interventions.person_id,
        interventions.referral_date + definitions.window_length as observable_on,
        coalesce(interventions.waiting_days <= definitions.window_length, false) as has_happened,
        interventions.waiting_days is not null
        or (interventions.first_appointment_date is null and interventions.start_date is null) as is_timed,
        persons.death_date,
        {{ covered_until(['treatment']) }} as covered_until
    from {{ ref('int_interventions') }} as interventions
    inner join {{ ref('int_persons') }} as persons on interventions.person_id = persons.person_id
    cross join {{ ref('indicator_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where
        interventions.intervention_number = 1
        and interventions.referral_date is not null
        and definitions.indicator = 'waited_within_3_weeks'
        and {{ to_build('interventions.person_id') }}
)

select
    journey_id,
    person_id,
    indicator,
    observable_on,
    {{ outcome_status(
        happened='has_happened',
        follow_up_ends_on='kept_until - 1',
        observable_on='observable_on',
        covered_until='covered_until',
        death_date='died_in_treatment_on'
    ) }} as status
from found

union all

select
    journey_id,
    person_id,
    'waited_within_3_weeks' as indicator,
    observable_on,
    {{ outcome_status(
        happened='has_happened',
        follow_up_ends_on='observable_on',
        observable_on='observable_on',
        covered_until='covered_until',
        death_date='death_date',
        is_applicable='is_timed'
    ) }} as status
from referred
