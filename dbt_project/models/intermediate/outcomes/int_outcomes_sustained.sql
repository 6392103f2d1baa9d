{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- The horizons are the windows of the joint outcome; the other parts of the vector are asked for the same days.
with completed as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.end_date,
        persons.death_date,
        persons.is_linked_to_police,
        coalesce(journeys.end_date >= reach.known_from, true) as is_reached_by_police,
        persons.is_linked_to_benefits,
        {{ covered_until(['treatment']) }} as treatment_covered_until,
        {{ covered_until(['treatment', 'police']) }} as police_covered_until,
        {{ covered_until(['treatment', 'benefits']) }} as benefits_covered_until,
        {{ covered_until(['treatment', 'housing']) }} as housing_covered_until,
        {{ covered_until(['treatment', 'deaths']) }} as deaths_covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('int_feed_coverage') }} as coverage
    cross join {{ ref('int_police_reach') }} as reach
    where journeys.is_successful_completion and {{ to_build('journeys.person_id') }}
),

horizons as (
    select
        joint.window_length as horizon_months,
        offences.wait_months as proof_wait_months
    from {{ ref('indicator_definitions') }} as joint
    inner join {{ ref('indicator_definitions') }} as offences
        on offences.indicator = 'no_proven_offence_' || joint.window_length || 'm'
    where
        joint.indicator in (
            'off_drugs_off_benefit_in_work_6m', 'off_drugs_off_benefit_in_work_12m', 'off_drugs_off_benefit_in_work_24m'
        )
),

weeks_in_work as (
    select
        max(window_length) filter (where indicator = 'in_work_13_weeks') as days_of_13_weeks,
        max(window_length) filter (where indicator = 'in_work_26_weeks') as days_of_26_weeks
    from {{ ref('indicator_definitions') }}
),

followed as (
    select
        completed.*,
        horizons.horizon_months,
        {{ add_months('completed.end_date', 'horizons.horizon_months') }} as asked_on,
        {{ add_months('completed.end_date', 'horizons.horizon_months + horizons.proof_wait_months') }} as proven_before
    from completed
    cross join horizons
),

-- The first return tells for every horizon.
returned as (
    select
        completed.journey_id,
        min(later.start_date) as returned_on
    from completed
    inner join {{ ref('int_treatment_journeys') }} as later
        on
            completed.person_id = later.person_id
            and completed.journey_id != later.journey_id
            and completed.end_date <= later.start_date
            and {{ or_open('completed.death_date') }} >= later.start_date
    group by completed.journey_id
),

offended as (
    select
        followed.journey_id,
        followed.horizon_months
    from followed
    inner join {{ ref('int_proven_offences') }} as offences
        on
            followed.person_id = offences.person_id
            and followed.end_date <= offences.offence_date
            and followed.asked_on > offences.offence_date
            and followed.proven_before > offences.disposal_date
            and {{ or_open('followed.death_date') }} >= offences.offence_date
    group by followed.journey_id, followed.horizon_months
),

claiming as (
    select
        followed.journey_id,
        followed.horizon_months
    from followed
    inner join {{ ref('int_out_of_work_spells') }} as claims
        on
            followed.person_id = claims.person_id
            and followed.asked_on between claims.start_date and {{ or_open('claims.end_date') }}
    group by followed.journey_id, followed.horizon_months
),

employed as (
    select
        followed.journey_id,
        followed.horizon_months,
        bool_or(followed.asked_on <= {{ or_open('jobs.end_date') }}) as is_in_work,
        max(
            least(jobs.end_date, followed.asked_on, followed.death_date)
            - greatest(jobs.start_date, followed.end_date) + 1
        ) as longest_days_in_work
    from followed
    inner join {{ ref('int_employment_spells') }} as jobs
        on
            followed.person_id = jobs.person_id
            and followed.asked_on >= jobs.start_date
            and followed.end_date <= {{ or_open('jobs.end_date') }}
    group by followed.journey_id, followed.horizon_months
),

-- Housing services know most people only from the day they first asked for help: until then they are as good as
-- unlinked.
housed as (
    select
        followed.journey_id,
        followed.horizon_months,
        spells.is_settled
    from followed
    inner join {{ ref('int_accommodation_spells') }} as spells
        on
            followed.person_id = spells.person_id
            and followed.asked_on between spells.start_date and {{ or_open('spells.end_date') }}
),

found as (
    select
        followed.*,
        followed.asked_on < {{ or_open('followed.death_date') }} as is_alive,
        coalesce(returned.returned_on < followed.asked_on, false) as has_returned,
        offended.journey_id is not null as has_offended,
        claiming.journey_id is not null as is_claiming,
        coalesce(employed.is_in_work, false) as is_in_work,
        coalesce(employed.longest_days_in_work >= weeks_in_work.days_of_13_weeks, false) as has_worked_13_weeks,
        coalesce(employed.longest_days_in_work >= weeks_in_work.days_of_26_weeks, false) as has_worked_26_weeks,
        housed.journey_id is not null as is_known_to_housing,
        coalesce(housed.is_settled, false) as is_settled
    from followed
    left join returned on followed.journey_id = returned.journey_id
    left join offended
        on followed.journey_id = offended.journey_id and followed.horizon_months = offended.horizon_months
    left join claiming
        on followed.journey_id = claiming.journey_id and followed.horizon_months = claiming.horizon_months
    left join employed
        on followed.journey_id = employed.journey_id and followed.horizon_months = employed.horizon_months
    left join housed
        on followed.journey_id = housed.journey_id and followed.horizon_months = housed.horizon_months
    cross join weeks_in_work
),

answered as (
    select
        journey_id,
        person_id,
        end_date,
        horizon_months,
        asked_on,
        proven_before - 1 as no_proven_offence_observable_on,
        is_linked_to_benefits,
        {{ outcome_status(
            happened='has_returned',
            follow_up_ends_on='asked_on - 1',
            observable_on='asked_on - 1',
            covered_until='treatment_covered_until',
            death_date='death_date',
            if_happened='no',
            otherwise='yes'
        ) }} as not_back_in_treatment,
        {{ outcome_status(
            happened='has_offended',
            follow_up_ends_on='asked_on - 1',
            observable_on='proven_before - 1',
            covered_until='police_covered_until',
            death_date='death_date',
            is_linked='is_linked_to_police',
            is_applicable='is_reached_by_police',
            if_happened='no',
            otherwise='yes'
        ) }} as no_proven_offence,
        {{ outcome_status(
            happened='is_claiming and is_alive',
            follow_up_ends_on='asked_on',
            observable_on='asked_on',
            covered_until='benefits_covered_until',
            death_date='death_date',
            is_linked='is_linked_to_benefits',
            if_happened='no',
            otherwise='yes'
        ) }} as off_out_of_work_benefit,
        {%- for outcome, happened in [
            ('in_work', 'is_in_work and is_alive'),
            ('in_work_13_weeks', 'has_worked_13_weeks'),
            ('in_work_26_weeks', 'has_worked_26_weeks')
        ] %}
            {{ outcome_status(
                happened=happened,
                follow_up_ends_on='asked_on',
                observable_on='asked_on',
                covered_until='benefits_covered_until',
                death_date='death_date',
                is_linked='is_linked_to_benefits'
            ) }} as {{ outcome }},
        {%- endfor %}
        {{ outcome_status(
            happened='is_settled and is_alive',
            follow_up_ends_on='asked_on',
            observable_on='asked_on',
            covered_until='housing_covered_until',
            death_date='death_date',
            is_linked='is_known_to_housing'
        ) }} as settled,
        -- Here death is the answer, so it censors nothing.
        {{ outcome_status(
            happened='not is_alive',
            follow_up_ends_on='asked_on',
            observable_on='asked_on',
            covered_until='deaths_covered_until',
            death_date='null::date',
            if_happened='no',
            otherwise='yes'
        ) }} as alive
    from found
)

select
    journey_id,
    person_id,
    end_date,
    horizon_months,
    asked_on,
    asked_on - 1 as not_back_in_treatment_observable_on,
    no_proven_offence_observable_on,
    not_back_in_treatment,
    no_proven_offence,
    off_out_of_work_benefit,
    in_work,
    in_work_13_weeks,
    in_work_26_weeks,
    settled,
    alive,
    case
        when in_work = 'not yet observable' then 'not yet observable'
        -- Whoever the benefits agency does not know can only fail, by coming back: that would count failures alone.
        when not is_linked_to_benefits then in_work
        when 'no' in (not_back_in_treatment, off_out_of_work_benefit, in_work) then 'no'
        when 'censored by death' in (not_back_in_treatment, off_out_of_work_benefit, in_work) then 'censored by death'
        else 'yes'
    end as off_drugs_off_benefit_in_work
from answered
