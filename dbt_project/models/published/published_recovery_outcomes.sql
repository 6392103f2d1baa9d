{%- set answers = [] -%}
{%- for outcome in recovery_outcomes() -%}
    {%- do answers.append("('" ~ outcome ~ "', journeys." ~ outcome ~ ")") -%}
{%- endfor -%}
with answers as (
    select
        journeys.end_financial_year,
        journeys.drug_group,
        coalesce(areas.area_code, 'unknown') as area_code,
        coalesce(areas.region_code, 'unknown') as region_code,
        answer.outcome,
        answer.status
    from {{ ref('outcome_recovery') }} as journeys
    left join {{ ref('dim_area') }} as areas on journeys.area_code = areas.area_code
    cross join lateral (values {{ answers | join(', ') }}) as answer (outcome, status)
),

-- Authorities, regions and all areas; each drug group and all of them together.
counted as (
    select
        outcome,
        end_financial_year,
        region_code,
        area_code,
        drug_group,
        count(*) filter (where status in ('yes', 'no', 'not linked')) as journeys_all,
        count(*) filter (where status in ('yes', 'no')) as journeys_linked,
        count(*) filter (where status = 'yes') as journeys_with_outcome
    from answers
    group by
        grouping sets (
            (outcome, end_financial_year, region_code, area_code, drug_group),
            (outcome, end_financial_year, region_code, area_code),
            (outcome, end_financial_year, region_code, drug_group),
            (outcome, end_financial_year, region_code),
            (outcome, end_financial_year, drug_group),
            (outcome, end_financial_year)
        )
    having count(*) filter (where status in ('yes', 'no', 'not linked')) > 0
),

-- A column that is null here was summed over. A place within a wider one; region and authority codes may be alike.
placed as (
    select
        outcome,
        end_financial_year,
        case
            when area_code is not null then 'authority'
            when region_code is not null then 'region'
            else 'all areas'
        end as area_level,
        coalesce(area_code, region_code, 'all') as area_code,
        coalesce('authority ' || area_code, 'region ' || region_code, 'all') as place,
        case
            when area_code is not null then 'region ' || region_code
            when region_code is not null then 'all'
        end as wider_place,
        coalesce(drug_group, 'all') as drug_group,
        journeys_all,
        journeys_linked,
        journeys_with_outcome
    from counted
),

measured as (
    select
        placed.*,
        concat_ws('|', measure.name, placed.outcome, placed.end_financial_year) as block,
        measure.name as measure,
        measure.count,
        measure.is_small
    from placed
    cross join lateral (
        values
        ('journeys_all', placed.journeys_all, {{ is_small('placed.journeys_all') }}),
        ('journeys_linked', placed.journeys_linked, {{ is_small('placed.journeys_linked') }}),
        (
            'journeys_with_outcome',
            placed.journeys_with_outcome,
            {{ is_telling('placed.journeys_with_outcome', 'placed.journeys_linked') }}
        )
    ) as measure (name, count, is_small)
),

cells as (
    select
        concat_ws('|', block, place, drug_group) as cell_id,
        block,
        outcome,
        end_financial_year,
        place,
        drug_group,
        measure,
        count,
        is_small,
        drug_group = 'all' or area_level != 'authority' as is_total,
        -- The drug groups of a place add up to all drug groups; the places within a place add up to it, so a place is
        -- in the line of the wider one, and is itself the total of its own.
        array_remove(
            array[
                concat_ws('|', block, place, 'over drug groups'),
                {{ lines_over_places(['block', 'drug_group']) }}
            ],
            null
        ) as lines
    from measured
),

{{ decide_withheld('cells') }},

rounded as (
    {{ published_measures(
        ['outcome', 'end_financial_year', 'place', 'drug_group'],
        ['journeys_all', 'journeys_linked', 'journeys_with_outcome']
    ) }}
),

-- A year counts as followed up when no journey of it waits for its answer anywhere.
years as (
    select
        outcome,
        end_financial_year,
        bool_and(status != 'not yet observable') as is_follow_up_complete
    from answers
    group by outcome, end_financial_year
),

regions as (
    select distinct
        region_code,
        region_name
    from {{ ref('dim_area') }}
)

select
    placed.outcome,
    definitions.title as outcome_title,
    placed.end_financial_year,
    placed.area_level,
    placed.area_code,
    case
        when placed.area_level = 'all areas' then 'All areas'
        else coalesce(areas.area_name, regions.region_name, 'Not known')
    end as area_name,
    placed.drug_group,
    rounded.journeys_all,
    rounded.journeys_linked,
    rounded.journeys_with_outcome,
    (100.0 * rounded.journeys_with_outcome / nullif(rounded.journeys_linked, 0))::numeric(5, 1) as percent_of_linked,
    {{ wilson_bound('rounded.journeys_with_outcome', 'rounded.journeys_linked', '-') }} as percent_of_linked_lower_95,
    {{ wilson_bound('rounded.journeys_with_outcome', 'rounded.journeys_linked', '+') }} as percent_of_linked_upper_95,
    (100.0 * rounded.journeys_with_outcome / nullif(rounded.journeys_all, 0))::numeric(5, 1) as percent_of_all,
    num_nulls(rounded.journeys_all, rounded.journeys_linked, rounded.journeys_with_outcome) > 0 as is_suppressed,
    years.is_follow_up_complete,
    stale.stale_feeds
from placed
inner join rounded
    on
        placed.outcome = rounded.outcome
        and placed.end_financial_year = rounded.end_financial_year
        and placed.place = rounded.place
        and placed.drug_group = rounded.drug_group
inner join years on placed.outcome = years.outcome and placed.end_financial_year = years.end_financial_year
inner join {{ ref('indicator_definitions') }} as definitions on placed.outcome = definitions.indicator
left join {{ ref('dim_area') }} as areas on placed.area_level = 'authority' and placed.area_code = areas.area_code
left join regions on placed.area_level = 'region' and placed.area_code = regions.region_code
cross join {{ ref('int_stale_feeds') }} as stale
order by placed.outcome, placed.end_financial_year, placed.area_level, placed.area_code, placed.drug_group
