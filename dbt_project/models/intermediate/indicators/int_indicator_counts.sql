with placed as (
    select
        cells.*,
        -- people whose home is not known were treated in England
        {{ country_code('areas.country') }} as country_code,
        -- Wales has no regions: the country stands in
        case
            when areas.country = 'Wales' then 'W92000004'
            else coalesce(areas.region_code, 'unknown')
        end as region_code,
        coalesce(areas.pfa_code, 'unknown') as police_force_area_code
    from {{ ref('int_indicator_cells') }} as cells
    left join {{ ref('police_force_areas') }} as areas on cells.area_code = areas.utla_code
),

-- A column that is null in a row was summed over. Authorities are too small to be told apart by age band.
counted as (
    select
        indicator,
        counted_in,
        certainties,
        country_code,
        region_code,
        area_code,
        police_force_area_code,
        null as provider_code,
        sex,
        age_band,
        drug_group,
        sum(numerator) as numerator,
        sum(numerator_squares) as numerator_squares,
        sum(denominator) as denominator,
        sum(denominator_unlinked) as denominator_unlinked,
        sum(units) as units,
        sum(units_with_event) as units_with_event,
        sum(units_unlinked) as units_unlinked,
        sum(units_waiting) as units_waiting
    from placed
    where not is_of_provider
    group by
        indicator, counted_in, certainties,
        grouping sets (
            (country_code), (country_code, sex), (country_code, age_band), (country_code, drug_group),
            (region_code), (region_code, sex), (region_code, age_band), (region_code, drug_group),
            (area_code), (area_code, sex), (area_code, drug_group),
            (police_force_area_code)
        )

    union all

    select
        indicator,
        counted_in,
        certainties,
        null as country_code,
        null as region_code,
        null as area_code,
        null as police_force_area_code,
        provider_code,
        null as sex,
        null as age_band,
        null as drug_group,
        numerator,
        numerator_squares,
        denominator,
        denominator_unlinked,
        units,
        units_with_event,
        units_unlinked,
        units_waiting
    from placed
    where is_of_provider
),

-- Units that add up were counted by the step of their kind of period, the others for each period as a whole.
by_period as (
    select
        counted.indicator,
        periods.period_start,
        counted.certainties,
        case
            when counted.country_code is not null then 'country'
            when counted.region_code is not null then 'region'
            when counted.area_code is not null then 'authority'
            when counted.police_force_area_code is not null then 'police force area'
            else 'provider'
        end as area_level,
        coalesce(
            counted.country_code, counted.region_code, counted.area_code, counted.police_force_area_code, 'all'
        ) as area_code,
        coalesce(counted.provider_code, 'all') as provider_code,
        case
            when counted.sex is not null then 'sex'
            when counted.age_band is not null then 'age band'
            when counted.drug_group is not null then 'drug group'
            else 'all'
        end as breakdown,
        coalesce(counted.sex, counted.age_band, counted.drug_group, 'all') as breakdown_value,
        counted.numerator,
        counted.numerator_squares,
        counted.denominator,
        counted.denominator_unlinked,
        counted.units,
        counted.units_with_event,
        counted.units_unlinked,
        counted.units_waiting
    from counted
    inner join {{ ref('int_indicator_kinds') }} as kinds on counted.indicator = kinds.indicator
    inner join {{ ref('int_indicator_periods') }} as periods
        on
            counted.indicator = periods.indicator
            and counted.counted_in >= periods.period_start
            and counted.counted_in <= case when kinds.is_by_unit then periods.period_start else periods.period_end end
),

-- One unit that waits keeps its whole period back: those that can be seen already are not like the others.
complete as (
    select
        indicator,
        period_start
    from by_period
    where area_level = 'country' and breakdown = 'all'
    group by indicator, period_start
    having sum(units_waiting) = 0
)

-- Figures of areas at the strict and inclusive certainties show how much the links matter; they are not broken down.
select
    by_period.indicator,
    by_period.period_start,
    each.certainty,
    by_period.area_level,
    by_period.area_code,
    by_period.provider_code,
    by_period.breakdown,
    by_period.breakdown_value,
    sum(by_period.numerator) as numerator,
    sum(by_period.numerator_squares) as numerator_squares,
    sum(by_period.denominator) as denominator,
    sum(by_period.denominator_unlinked) as denominator_unlinked,
    sum(by_period.units)::integer as units,
    sum(by_period.units_with_event)::integer as units_with_event,
    sum(by_period.units_unlinked)::integer as units_unlinked
from by_period
inner join complete on by_period.indicator = complete.indicator and by_period.period_start = complete.period_start
cross join lateral unnest(string_to_array(by_period.certainties, ';')) as each (certainty)
where
    each.certainty = 'balanced'
    or (by_period.breakdown = 'all' and by_period.area_level != 'provider')
group by
    by_period.indicator, by_period.period_start, each.certainty, by_period.area_level, by_period.area_code,
    by_period.provider_code, by_period.breakdown, by_period.breakdown_value
having sum(by_period.units) + sum(by_period.units_unlinked) > 0
