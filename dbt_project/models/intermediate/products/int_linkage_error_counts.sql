-- Journeys with each outcome, and how many of those rest on a link that may be wrong.
with answered as (
    select
        journey_id,
        person_id,
        indicator as outcome,
        status
    from {{ ref('int_outcomes_treatment') }}

    union all

    select
        journey_id,
        person_id,
        'proven_reoffence_12m' as outcome,
        proven_reoffence_12m as status
    from {{ ref('int_outcomes_reoffending') }}

    union all

    select
        journey_id,
        person_id,
        indicator as outcome,
        status
    from {{ ref('int_outcomes_work') }}

    union all

    select
        journey_id,
        person_id,
        indicator as outcome,
        status
    from {{ ref('int_outcomes_accommodation') }}
),

ended as (
    select
        outcomes.outcome,
        outcomes.link,
        outcomes.years,
        answered.journey_id,
        answered.person_id,
        answered.status,
        journeys.end_date,
        {{ last_day_told_of_all('answered.status', 'journeys.end_date', 'of_outcome') }} as period_end
    from answered
    inner join {{ ref('linkage_error_outcomes') }} as outcomes on answered.outcome = outcomes.outcome
    inner join {{ ref('int_treatment_journeys') }} as journeys on answered.journey_id = journeys.journey_id
    where journeys.end_date is not null
    window of_outcome as (partition by outcomes.outcome)
),

-- Whoever has one client record in all came back, if at all, under the same number.
several_records as (
    select person_id
    from {{ ref('int_person_links') }}
    where feed = 'treatment'
    group by person_id
    having count(*) > 1
),

placed as (
    select
        *,
        ({{ add_months('period_end', '-12 * years') }} + 1)::date as period_start,
        -- No join: the planner takes the journeys for a handful, and would go through all clients for each.
        link = 'client_to_person'
        or person_id in (select several_records.person_id from several_records) as is_by_link
    from ended
)

select
    certainties.certainty,
    cuts.cut,
    placed.outcome,
    placed.link,
    placed.period_start,
    placed.period_end,
    case when grouping(persons.sex) = 0 then 'sex' else 'all' end as breakdown,
    case when grouping(persons.sex) = 0 then coalesce(persons.sex, 'not known') else 'all' end as breakdown_value,
    count(*) filter (where placed.status in ('yes', 'no'))::integer as journeys,
    count(*) filter (where placed.status = 'not linked')::integer as journeys_unlinked,
    count(*) filter (where placed.status = 'yes')::integer as journeys_with_outcome,
    count(*) filter (where placed.status = 'yes' and placed.is_by_link)::integer as journeys_with_outcome_by_link
from placed
inner join {{ ref('int_persons') }} as persons on placed.person_id = persons.person_id
inner join {{ ref('int_journey_cuts') }} as cuts on placed.journey_id = cuts.journey_id
inner join {{ ref('int_person_certainties') }} as certainties on placed.person_id = certainties.person_id
where
    placed.end_date between placed.period_start and placed.period_end
    and placed.status in ('yes', 'no', 'not linked')
    and (cuts.cut = 'adults' or certainties.certainty = 'balanced')
group by
    certainties.certainty, cuts.cut, placed.outcome, placed.link, placed.period_start, placed.period_end,
    grouping sets ((), (persons.sex))
