{{ config(indexes=[
    {
        'columns': ['certainty', 'cut', 'area_level', 'area_code', 'provider_code', 'complexity_group'],
        'unique': true
    }
]) }}

-- Those whose treatment began within so many days of triage, against all who were triaged. Referrals of the last such
-- days are left out, and so is whoever died before treatment could begin.
with rules as (
    select
        max(value) filter (where rule = 'taken_on_days') as taken_on_days,
        max(value) filter (where rule = 'selection_months') as selection_months
    from {{ ref('pbr_rules') }}
),

periods as (
    select
        rules.taken_on_days,
        {{ covered_until(['treatment']) }} - rules.taken_on_days + 1 as period_end,
        ({{ covered_until(['treatment']) }} - rules.taken_on_days + 2 - make_interval(months => rules.selection_months))
        ::date as period_start
    from rules
    cross join {{ ref('int_feed_coverage') }} as coverage
),

cells as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        cuts.cut,
        periods.period_start,
        periods.period_end,
        coalesce(journeys.area_code, 'unknown') as area_code,
        coalesce(known.first_provider_code, 'unknown') as provider_code,
        known.complexity_group,
        count(*) as referred,
        count(*) filter (
            where journeys.treatment_start_date < journeys.start_date + periods.taken_on_days
        ) as taken_on
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join periods on journeys.start_date between periods.period_start and periods.period_end
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    inner join {{ ref('int_pbr_journeys') }} as known on journeys.journey_id = known.journey_id
    inner join {{ ref('int_person_standing') }} as standing on journeys.person_id = standing.person_id
    inner join {{ ref('int_journey_cuts') }} as cuts on journeys.journey_id = cuts.journey_id
    where
        {{ or_open('journeys.treatment_start_date') }} < journeys.start_date + periods.taken_on_days
        or {{ or_open('persons.death_date') }} >= journeys.start_date + periods.taken_on_days
    group by
        standing.is_strict, standing.is_balanced, standing.is_inclusive, cuts.cut, periods.period_start,
        periods.period_end, coalesce(journeys.area_code, 'unknown'), coalesce(known.first_provider_code, 'unknown'),
        known.complexity_group
),

placed as (
    select
        each.certainty,
        cells.cut,
        cells.period_start,
        cells.period_end,
        {{ country_code('areas.country') }} as country_code,
        coalesce(areas.region_code, 'unknown') as region_code,
        coalesce(areas.area_code, 'unknown') as area_code,
        cells.provider_code,
        cells.complexity_group,
        cells.referred,
        cells.taken_on
    from cells
    cross join {{ each_certainty('cells') }}
    left join {{ ref('dim_area') }} as areas on cells.area_code = areas.area_code
    where each.is_counted
),

counted as (
    select
        certainty,
        cut,
        country_code,
        region_code,
        area_code,
        provider_code,
        period_start,
        period_end,
        complexity_group,
        sum(referred)::integer as referred,
        sum(taken_on)::integer as taken_on
    from placed
    group by
        certainty, cut, period_start, period_end, complexity_group,
        grouping sets ((country_code), (region_code), (area_code), (provider_code))
),

named as (
    select
        certainty,
        cut,
        case
            when country_code is not null then 'country'
            when region_code is not null then 'region'
            when area_code is not null then 'authority'
            else 'provider'
        end as area_level,
        coalesce(country_code, region_code, area_code, 'all') as area_code,
        coalesce(provider_code, 'all') as provider_code,
        period_start,
        period_end,
        complexity_group,
        referred,
        taken_on
    from counted
)

select
    named.certainty,
    named.cut,
    named.area_level,
    named.area_code,
    named.provider_code,
    named.period_start,
    named.period_end,
    named.complexity_group,
    groups.position as complexity_position,
    named.referred,
    named.taken_on,
    (100.0 * named.referred / sum(named.referred) over place)::numeric(7, 4) as percent_of_referred,
    (100.0 * named.taken_on / nullif(sum(named.taken_on) over place, 0))::numeric(7, 4) as percent_of_taken_on,
    (100.0 * named.taken_on / named.referred)::numeric(7, 4) as percent_taken_on,
    (100 * {{ wilson_share_bound('named.taken_on', 'named.referred', '-') }})::numeric(7, 4)
        as percent_taken_on_lower_95,
    (100 * {{ wilson_share_bound('named.taken_on', 'named.referred', '+') }})::numeric(7, 4)
        as percent_taken_on_upper_95
from named
inner join {{ ref('pbr_complexity_groups') }} as groups on named.complexity_group = groups.complexity_group
window place as (partition by named.certainty, named.cut, named.area_level, named.area_code, named.provider_code)
order by
    named.certainty, named.cut, named.area_level, named.area_code, named.provider_code, complexity_position
