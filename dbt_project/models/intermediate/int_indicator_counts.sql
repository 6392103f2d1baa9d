{#- Places a unit is in, each counted for itself, and how it may be broken down there. -#}
{%- set areas = ['country_code', 'region_code', 'area_code', 'police_force_area_code'] -%}
{%- set places = areas + ['provider_code'] -%}
{#- Authorities are too small to be told apart by age band. -#}
{%- set broken_down = {
    'country_code': ['sex', 'age_band', 'drug_group'],
    'region_code': ['sex', 'age_band', 'drug_group'],
    'area_code': ['sex', 'drug_group'],
} -%}
{%- set breakdowns = ['sex', 'age_band', 'drug_group'] -%}
{%- set sums = [
    'numerator', 'numerator_squares', 'denominator', 'denominator_unlinked', 'units', 'units_with_event', 'units_unlinked',
    'units_waiting'
] -%}
{%- set keys = ['indicator', 'counted_in', 'certainties'] -%}
with placed as (
    select
        cells.*,
        -- people whose home is not known were treated in England
        case when areas.country = 'Wales' then 'W92000004' else 'E92000001' end as country_code,
        -- Wales has no regions: the country stands in
        case when areas.country = 'Wales' then 'W92000004' else coalesce(areas.region_code, 'unknown') end as region_code,
        coalesce(areas.pfa_code, 'unknown') as police_force_area_code
    from {{ ref('int_indicator_cells') }} as cells
    left join {{ ref('police_force_areas') }} as areas on cells.area_code = areas.utla_code
),

counted as (
    select
        {{ (keys + areas) | join(',\n        ') }},
        null as provider_code,
        {{ breakdowns | join(',\n        ') }},
        {%- for column in sums %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    where not is_of_provider
    group by
        grouping sets (
            {%- for area in areas %}
            ({{ (keys + [area]) | join(', ') }})
            {%- for breakdown in broken_down.get(area, []) -%}
            ,
            ({{ (keys + [area, breakdown]) | join(', ') }})
            {%- endfor -%}
            {{ ',' if not loop.last }}
            {%- endfor %}
        )

    union all

    select
        {{ keys | join(',\n        ') }},
        {%- for area in areas %}
        null as {{ area }},
        {%- endfor %}
        provider_code,
        {%- for breakdown in breakdowns %}
        null as {{ breakdown }},
        {%- endfor %}
        {{ sums | join(',\n        ') }}
    from placed
    where is_of_provider
),

-- Units that add up were counted by the step of their kind of period, the others for each period as a whole.
by_period as (
    select
        counted.indicator,
        periods.period_start,
        counted.certainties,
        {{ (places + breakdowns) | join(',\n        ') }},
        {%- for column in sums %}
        sum(counted.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
    inner join {{ ref('int_indicator_kinds') }} as kinds on counted.indicator = kinds.indicator
    inner join {{ ref('int_indicator_periods') }} as periods
        on
            counted.indicator = periods.indicator
            and counted.counted_in >= periods.period_start
            and counted.counted_in <= case when kinds.is_by_unit then periods.period_start else periods.period_end end
    group by {{ (['counted.indicator', 'periods.period_start', 'counted.certainties'] + places + breakdowns) | join(', ') }}
),

-- One unit that waits keeps its whole period back: those that can be seen already are not like the others.
incomplete as (
    select
        indicator,
        period_start
    from by_period
    where units_waiting > 0
    group by indicator, period_start
),

-- A column that is null here was summed over.
named as (
    select
        by_period.*,
        case
            when country_code is not null then 'country'
            when region_code is not null then 'region'
            when area_code is not null then 'authority'
            when police_force_area_code is not null then 'police force area'
            else 'provider'
        end as area_level,
        coalesce(country_code, region_code, area_code, police_force_area_code, 'all') as place_code,
        case
            when sex is not null then 'sex'
            when age_band is not null then 'age band'
            when drug_group is not null then 'drug group'
            else 'all'
        end as breakdown,
        coalesce(sex, age_band, drug_group, 'all') as breakdown_value
    from by_period
    where
        not exists (
            select
            from incomplete
            where incomplete.indicator = by_period.indicator and incomplete.period_start = by_period.period_start
        )
)

-- Figures of areas at the strict and inclusive certainties show how much the links matter; they are not broken down.
select
    named.indicator,
    named.period_start,
    each.certainty,
    named.area_level,
    named.place_code as area_code,
    coalesce(named.provider_code, 'all') as provider_code,
    named.breakdown,
    named.breakdown_value,
    sum(named.numerator) as numerator,
    sum(named.numerator_squares) as numerator_squares,
    sum(named.denominator) as denominator,
    sum(named.denominator_unlinked) as denominator_unlinked,
    sum(named.units)::integer as units,
    sum(named.units_with_event)::integer as units_with_event,
    sum(named.units_unlinked)::integer as units_unlinked
from named
cross join lateral unnest(string_to_array(named.certainties, ';')) as each (certainty)
where each.certainty = 'balanced' or (named.breakdown = 'all' and named.area_level != 'provider')
group by
    named.indicator, named.period_start, each.certainty, named.area_level, named.place_code, named.provider_code,
    named.breakdown, named.breakdown_value
having sum(named.units) + sum(named.units_unlinked) > 0
