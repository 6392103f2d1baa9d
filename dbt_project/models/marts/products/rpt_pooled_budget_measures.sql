{{ config(indexes=[{'columns': ['certainty', 'cut', 'financial_year', 'area_code'], 'unique': true}]) }}

-- Drug users alone: the budget was for drug treatment. A person treated in two areas in a year is counted in both.
with journeys as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.start_date,
        journeys.treatment_start_date,
        journeys.end_date,
        areas.area_code,
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        returns.status as re_presentation_6m,
        coalesce(effective.status = 'yes', false) as is_effective
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_person_standing') }} as standing on journeys.person_id = standing.person_id
    inner join {{ ref('dim_area') }} as areas on journeys.area_code = areas.area_code and areas.country = 'England'
    left join {{ ref('int_outcomes_treatment') }} as returns
        on journeys.journey_id = returns.journey_id and returns.indicator = 're_presentation_6m'
    left join {{ ref('int_outcomes_effective') }} as effective
        on journeys.journey_id = effective.journey_id and effective.indicator = 'effective_treatment'
    where journeys.drug_group in ('opiate', 'non-opiate only', 'non-opiate and alcohol')
),

earliest as (
    select {{ financial_year_start('min(start_date)') }} as first_day
    from journeys
),

-- Years are shown when nobody who completed in them can any longer come back within the window.
years as (
    select
        starts.first_day::date as first_day,
        {{ financial_year_end('starts.first_day') }} as last_day
    from {{ ref('indicator_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    cross join earliest
    cross join
        lateral generate_series(earliest.first_day, {{ covered_until(['treatment']) }}, interval '1 year')
            as starts (first_day)
    where
        definitions.indicator = 're_presentation_6m'
        and {{ add_months(financial_year_end('starts.first_day'), 'definitions.window_length') }}
        <= {{ covered_until(['treatment']) }} + 1
),

by_person as (
    select
        journeys.person_id,
        journeys.is_strict,
        journeys.is_balanced,
        journeys.is_inclusive,
        cuts.cut,
        years.first_day,
        journeys.area_code,
        coalesce(
            bool_or(
                journeys.re_presentation_6m = 'no' and journeys.end_date between years.first_day and years.last_day
            ),
            false
        ) as has_completed,
        coalesce(bool_or(journeys.is_effective and journeys.treatment_start_date <= years.last_day), false)
            as is_in_effective_treatment
    from journeys
    inner join years
        on journeys.start_date <= years.last_day and years.first_day <= {{ or_open('journeys.end_date') }}
    inner join {{ ref('int_journey_cuts') }} as cuts on journeys.journey_id = cuts.journey_id
    group by
        journeys.person_id, journeys.is_strict, journeys.is_balanced, journeys.is_inclusive, cuts.cut,
        years.first_day, journeys.area_code
),

cells as (
    select
        is_strict,
        is_balanced,
        is_inclusive,
        cut,
        first_day,
        area_code,
        count(*) as in_treatment,
        count(*) filter (where has_completed) as completions,
        count(*) filter (where is_in_effective_treatment) as in_effective_treatment
    from by_person
    group by is_strict, is_balanced, is_inclusive, cut, first_day, area_code
),

measured as (
    select
        each.certainty,
        cells.cut,
        {{ financial_year('cells.first_day') }} as financial_year,
        cells.area_code,
        sum(cells.in_treatment)::integer as in_treatment,
        sum(cells.completions)::integer as completions,
        sum(cells.in_effective_treatment)::integer as in_effective_treatment
    from cells
    cross join {{ each_certainty('cells') }}
    where each.is_counted
    group by each.certainty, cells.cut, cells.first_day, cells.area_code
),

ordered as (
    select
        *,
        count(*) filter (where {{ is_small('completions') }}) over (partition by certainty, cut, financial_year)
            as small_areas,
        row_number() over fewest as place,
        sum(completions) over fewest - completions as completions_of_fewer
    from measured
    window fewest as (
        partition by certainty, cut, financial_year
        order by completions, area_code rows unbounded preceding
    )
),

-- Areas with few completions are published together: at least two of them, and enough people in all.
shown as (
    select
        *,
        case
            when
                small_areas > 0
                and ({{ is_small('completions') }} or {{ is_small('completions_of_fewer') }} or place = 2)
                then 'other'
            else area_code
        end as published_area_code
    from ordered
)

select
    certainty,
    cut,
    financial_year,
    area_code,
    in_treatment,
    completions,
    in_effective_treatment,
    published_area_code,
    {%- for measure in ['in_treatment', 'completions', 'in_effective_treatment'] %}
        {%- set together = 'sum(' ~ measure ~ ') over together' %}
        {{ published_count(together, is_small('sum(completions) over together')) }} as published_{{ measure }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
from shown
window together as (partition by certainty, cut, financial_year, published_area_code)
order by certainty, cut, financial_year, area_code
