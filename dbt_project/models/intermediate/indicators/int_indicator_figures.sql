with authorities as (
    -- former districts carry the population of the authority they became part of, so they are left out of the sum
    select
        utla_code as area_code,
        sum(population_2020) as population
    from {{ ref('local_authorities') }}
    where is_current
    group by utla_code
),

places as (
    select
        areas.utla_code as authority_code,
        areas.pfa_code,
        coalesce(areas.region_code, 'W92000004') as region_code,
        {{ country_code('areas.country') }} as country_code,
        authorities.population
    from {{ ref('police_force_areas') }} as areas
    left join authorities on areas.utla_code = authorities.area_code
),

populations as (
    select
        level.area_level,
        level.area_code,
        -- an area of which a part is not known has no population, rather than one too small
        case when bool_and(places.population is not null) then sum(places.population) end as population
    from places
    cross join
        lateral (
            values
            ('authority', places.authority_code),
            ('police force area', places.pfa_code),
            ('region', places.region_code),
            ('country', places.country_code)
        ) as level (area_level, area_code)
    group by level.area_level, level.area_code
),

divided as (
    select
        counts.indicator,
        counts.period_start,
        counts.certainty,
        counts.area_level,
        counts.area_code,
        counts.provider_code,
        counts.breakdown,
        counts.breakdown_value,
        counts.numerator::double precision as numerator,
        counts.numerator_squares::double precision as numerator_squares,
        counts.denominator_unlinked::double precision as denominator_unlinked,
        counts.units,
        counts.units_with_event,
        counts.units_unlinked,
        definitions.measure,
        definitions.per,
        definitions.polarity,
        periods.period_end,
        groups.similar_group,
        (counts.period_start - make_interval(months => kinds.length_months))::date as period_before,
        -- what is divided by: people of the area and years for a population rate, else what the units bring
        case definitions.measure
            when 'population rate'
                then case when counts.breakdown = 'all' then populations.population * kinds.length_months / 12.0 end
            else counts.denominator
        end::double precision as divisor
    from {{ ref('int_indicator_counts') }} as counts
    inner join {{ ref('indicator_definitions') }} as definitions on counts.indicator = definitions.indicator
    inner join {{ ref('indicator_periods') }} as kinds on definitions.period = kinds.period
    inner join {{ ref('int_indicator_periods') }} as periods
        on counts.indicator = periods.indicator and counts.period_start = periods.period_start
    left join populations on counts.area_level = populations.area_level and counts.area_code = populations.area_code
    left join {{ ref('similar_areas') }} as groups
        on counts.area_level = 'authority' and counts.area_code = groups.area_code
)

select
    indicator,
    period_start,
    period_end,
    period_before,
    certainty,
    area_level,
    area_code,
    provider_code,
    breakdown,
    breakdown_value,
    measure,
    per,
    polarity,
    similar_group,
    numerator::numeric(16, 4) as numerator,
    divisor::numeric(16, 4) as denominator,
    denominator_unlinked::numeric(16, 4) as denominator_unlinked,
    units,
    units_with_event,
    units_unlinked,
    (per * numerator / nullif(divisor, 0))::numeric(14, 4) as value,
    (
        per * case measure
            when 'proportion' then {{ wilson_share_bound('numerator', 'divisor', '-') }}
            when 'mean' then {{ mean_bound('numerator', 'numerator_squares', 'divisor', '-') }}
            else {{ poisson_bound('numerator', '-') }} / nullif(divisor, 0)
        end
    )::numeric(14, 4) as lower_95,
    (
        per * case measure
            when 'proportion' then {{ wilson_share_bound('numerator', 'divisor', '+') }}
            when 'mean' then {{ mean_bound('numerator', 'numerator_squares', 'divisor', '+') }}
            else {{ poisson_bound('numerator', '+') }} / nullif(divisor, 0)
        end
    )::numeric(14, 4) as upper_95
from divided
