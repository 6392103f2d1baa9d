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

-- Narrow rows: there are several for each journey, and they are read twice.
ended as (
    select
        answered.outcome,
        answered.journey_id,
        answered.person_id,
        answered.status,
        journeys.end_date
    from answered
    inner join {{ ref('int_treatment_journeys') }} as journeys on answered.journey_id = journeys.journey_id
    where
        journeys.end_date is not null
        and answered.outcome in (select outcomes.outcome from {{ ref('linkage_error_outcomes') }} as outcomes)
),

ends as (
    select
        outcome,
        {{ last_day_told_of_all('status', 'end_date') }} as period_end
    from ended
    group by outcome
),

periods as (
    select
        outcomes.outcome,
        outcomes.link,
        ({{ add_months('ends.period_end', '-12 * outcomes.years') }} + 1)::date as period_start,
        ends.period_end
    from ends
    inner join {{ ref('linkage_error_outcomes') }} as outcomes on ends.outcome = outcomes.outcome
),

-- Whoever has one client record in all came back, if at all, under the same number.
several_records as (
    select person_id
    from {{ ref('int_person_links') }}
    where feed = 'treatment'
    group by person_id
    having count(*) > 1
),

told as (
    select
        ended.*,
        periods.link,
        periods.period_start,
        periods.period_end,
        -- No join: the planner takes the journeys for a handful, and would go through all clients for each.
        periods.link = 'client_to_person'
        or ended.person_id in (select several_records.person_id from several_records) as is_by_link
    from ended
    inner join periods
        on ended.outcome = periods.outcome and ended.end_date between periods.period_start and periods.period_end
    where ended.status in ('yes', 'no', 'not linked')
),

cells as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        cuts.cut,
        told.outcome,
        told.link,
        told.period_start,
        told.period_end,
        coalesce(profiles.sex, 'not known') as sex,
        count(*) filter (where told.status in ('yes', 'no')) as journeys,
        count(*) filter (where told.status = 'not linked') as journeys_unlinked,
        count(*) filter (where told.status = 'yes') as journeys_with_outcome,
        count(*) filter (where told.status = 'yes' and told.is_by_link) as journeys_with_outcome_by_link
    from told
    inner join {{ ref('int_journey_profiles') }} as profiles on told.journey_id = profiles.journey_id
    inner join {{ ref('int_journey_cuts') }} as cuts on told.journey_id = cuts.journey_id
    inner join {{ ref('int_person_standing') }} as standing on told.person_id = standing.person_id
    group by
        standing.is_strict, standing.is_balanced, standing.is_inclusive, cuts.cut, told.outcome, told.link,
        told.period_start, told.period_end, coalesce(profiles.sex, 'not known')
)

select
    each.certainty,
    cells.cut,
    cells.outcome,
    cells.link,
    cells.period_start,
    cells.period_end,
    case when grouping(cells.sex) = 0 then 'sex' else 'all' end as breakdown,
    coalesce(cells.sex, 'all') as breakdown_value,
    sum(cells.journeys)::integer as journeys,
    sum(cells.journeys_unlinked)::integer as journeys_unlinked,
    sum(cells.journeys_with_outcome)::integer as journeys_with_outcome,
    sum(cells.journeys_with_outcome_by_link)::integer as journeys_with_outcome_by_link
from cells
cross join {{ each_certainty('cells') }}
where each.is_counted
group by
    each.certainty, cells.cut, cells.outcome, cells.link, cells.period_start, cells.period_end,
    grouping sets ((), (cells.sex))
