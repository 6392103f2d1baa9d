{{ config(indexes=[
    {
        'columns': [
            'certainty', 'end_financial_year', 'area_level', 'area_code', 'provider_code', 'drug_group', 'exit_reason'
        ],
        'unique': true
    }
]) }}

with cells as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        {{ financial_year_start('journeys.end_date') }} as year_start,
        coalesce(journeys.area_code, 'unknown') as area_code,
        coalesce(journeys.provider_code, 'unknown') as provider_code,
        journeys.drug_group,
        journeys.discharge_reason_code,
        count(*) as journeys
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_person_standing') }} as standing on journeys.person_id = standing.person_id
    where journeys.end_date is not null
    group by
        standing.is_strict, standing.is_balanced, standing.is_inclusive, year_start,
        coalesce(journeys.area_code, 'unknown'), coalesce(journeys.provider_code, 'unknown'), journeys.drug_group,
        journeys.discharge_reason_code
),

ended as (
    select
        each.certainty,
        cells.year_start,
        {{ country_code('areas.country') }} as country_code,
        coalesce(areas.region_code, 'unknown') as region_code,
        coalesce(areas.area_code, 'unknown') as area_code,
        cells.provider_code,
        cells.drug_group,
        case when reasons.is_missing then 'missing' else reasons.reason_group end as exit_reason,
        reasons.outcome_group,
        cells.journeys
    from cells
    cross join {{ each_certainty('cells', has_cuts=false) }}
    inner join {{ ref('discharge_reasons') }} as reasons on cells.discharge_reason_code = reasons.reason_code
    left join {{ ref('dim_area') }} as areas on cells.area_code = areas.area_code
    where each.is_counted
),

-- Each reason and all of them; each drug group and all of them; countries, regions, authorities and providers.
counted as (
    select
        certainty,
        year_start,
        country_code,
        region_code,
        area_code,
        provider_code,
        drug_group,
        exit_reason,
        outcome_group,
        sum(journeys)::integer as journeys,
        coalesce(sum(journeys) filter (where exit_reason != 'missing'), 0)::integer as journeys_with_reason
    from ended
    group by
        certainty, year_start,
        grouping sets ((country_code), (region_code), (area_code), (provider_code)),
        grouping sets ((drug_group), ()),
        grouping sets ((exit_reason, outcome_group), ())
),

-- A column that is null here was summed over.
named as (
    select
        certainty,
        year_start,
        case
            when country_code is not null then 'country'
            when region_code is not null then 'region'
            when area_code is not null then 'authority'
            else 'provider'
        end as area_level,
        coalesce(country_code, region_code, area_code, 'all') as area_code,
        coalesce(provider_code, 'all') as provider_code,
        coalesce(drug_group, 'all') as drug_group,
        coalesce(exit_reason, 'all') as exit_reason,
        coalesce(outcome_group, 'all') as outcome_group,
        journeys,
        journeys_with_reason
    from counted
),

-- Percentages are of the journeys whose reason was given, as in the table of 2007-08.
shared as (
    select
        *,
        case when exit_reason != 'missing' then journeys_with_reason end as counted_journeys,
        max(journeys_with_reason) filter (where exit_reason = 'all') over place as denominator
    from named
    window place as (partition by certainty, year_start, area_level, area_code, provider_code, drug_group)
)

select
    shared.certainty,
    {{ financial_year('shared.year_start') }} as end_financial_year,
    shared.area_level,
    shared.area_code,
    shared.provider_code,
    shared.drug_group,
    shared.exit_reason,
    shared.outcome_group,
    shared.journeys,
    shared.denominator as journeys_with_reason,
    (100.0 * shared.counted_journeys / nullif(shared.denominator, 0))::numeric(7, 4) as percent,
    (
        100 * {{ wilson_share_bound('shared.counted_journeys', 'shared.denominator', '-') }}
    )::numeric(7, 4) as percent_lower_95,
    (
        100 * {{ wilson_share_bound('shared.counted_journeys', 'shared.denominator', '+') }}
    )::numeric(7, 4) as percent_upper_95,
    -- a journey's end is provisional until no later episode can continue it
    coalesce(
        {{ financial_year_end('shared.year_start') }} + definitions.continuous_treatment_days - 1
        <= coverage.treatment_covered_until,
        false
    ) as is_complete
from shared
cross join {{ ref('int_definitions') }} as definitions
cross join {{ ref('int_feed_coverage') }} as coverage
order by
    shared.certainty, shared.year_start, shared.area_level, shared.area_code, shared.provider_code, shared.drug_group,
    shared.exit_reason
