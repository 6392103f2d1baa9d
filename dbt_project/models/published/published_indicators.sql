with authorities as (
    select
        *,
        {{ country_code('country') }} as country_code
    from {{ ref('dim_area') }}
),

areas as (
    select
        level.area_level,
        level.area_code,
        max(level.area_name) as area_name,
        max(level.region_code) as region_code,
        max(level.police_force_area_code) as police_force_area_code,
        max(level.country_code) as country_code
    from authorities
    cross join
        lateral (
            values
            ('country', authorities.country_code, authorities.country, null, null, authorities.country_code),
            (
                'region', authorities.region_code, authorities.region_name, authorities.region_code, null,
                authorities.country_code
            ),
            (
                'police force area', authorities.police_force_area_code, authorities.police_force_area_name, null,
                authorities.police_force_area_code, authorities.country_code
            ),
            (
                'authority', authorities.area_code, authorities.area_name, authorities.region_code,
                authorities.police_force_area_code, null
            )
        ) as level (area_level, area_code, area_name, region_code, police_force_area_code, country_code)
    group by level.area_level, level.area_code
),

-- Parts of an authority, and single providers, are too small: most would be withheld, and the totals with them.
figures as (
    select
        figures.*,
        concat_ws('|', figures.indicator, figures.period_start) as figure_block,
        concat_ws(' ', figures.area_level, figures.area_code) as place,
        concat(' ', figures.breakdown, ' ', figures.breakdown_value) as part,
        coalesce(areas.area_name, 'Not known') as area_name,
        coalesce(areas.region_code, 'unknown') as region_code,
        coalesce(areas.police_force_area_code, 'unknown') as police_force_area_code,
        coalesce(areas.country_code, 'E92000001') as country_code
    from {{ ref('rpt_indicators') }} as figures
    left join areas on figures.area_level = areas.area_level and figures.area_code = areas.area_code
    where
        figures.certainty = 'balanced'
        and figures.area_level != 'provider'
        and (figures.breakdown = 'all' or figures.area_level in ('country', 'region'))
),

-- The parts of a place add up to it, in each breakdown, and places add up to the wider one: a total is in the line of
-- its parts. The places within a wider one have a line for each part that is shown of them.
placed as (
    select
        *,
        row_number() over (
            order by indicator, period_start, area_level, area_code, breakdown, breakdown_value
        ) as figure_id,
        array_remove(
            array[
                case when breakdown in ('all', 'sex') then place || ' by sex' end,
                case when breakdown in ('all', 'age band') then place || ' by age band' end,
                case when breakdown in ('all', 'drug group') then place || ' by drug group' end,
                case when area_level in ('country', 'region') then 'regions of ' || country_code || part end,
                case when area_level in ('country', 'police force area') then 'forces of ' || country_code || part end,
                case when area_level in ('region', 'authority') then 'in region ' || region_code || part end,
                case
                    when area_level in ('police force area', 'authority')
                        then 'in force ' || police_force_area_code || part
                end
            ],
            null
        ) as places
    from figures
),

cells as (
    select
        placed.figure_id,
        measure.name as measure,
        -- numbers name cells and lines: there are millions of them
        3 * placed.figure_id + measure.number as cell_id,
        hashtextextended(concat_ws('|', measure.name, placed.figure_block), 0) as block,
        measure.count,
        measure.is_small,
        placed.breakdown = 'all' and placed.area_level in ('country', 'region', 'police force area') as is_total,
        array(
            select hashtextextended(concat_ws('|', measure.name, placed.figure_block, place.line), 0)
            from unnest(placed.places) as place (line)
        ) as lines
    from placed
    cross join lateral (
        values
        (0, 'units_all', placed.units + placed.units_unlinked, {{ is_small('placed.units + placed.units_unlinked') }}),
        (1, 'units', placed.units, {{ is_small('placed.units') }}),
        (
            2,
            'units_with_event',
            placed.units_with_event,
            case
                when placed.measure = 'proportion' then {{ is_telling('placed.units_with_event', 'placed.units') }}
                else {{ is_small('placed.units_with_event') }}
            end
        )
    ) as measure (number, name, count, is_small)
),

{{ decide_withheld('cells') }},

rounded as (
    {{ published_measures(['figure_id'], ['units_all', 'units', 'units_with_event']) }}
),

-- Figures are made again of what is published: events of too few people are withheld with them, and a mean of too few.
remade as (
    select
        placed.*,
        rounded.units_all,
        rounded.units as units_published,
        case
            when placed.measure = 'proportion' then rounded.units_with_event
            when placed.measure != 'mean' and rounded.units_with_event is not null
                then {{ published_count('placed.numerator', 'false') }}
        end as numerator_published,
        case
            when placed.measure in ('proportion', 'mean') then rounded.units
            when placed.measure = 'population rate' or rounded.units is not null then round(placed.denominator)
        end as denominator_published,
        case when rounded.units is not null then round(placed.value, 1) end as mean_published
    from placed
    inner join rounded on placed.figure_id = rounded.figure_id
),

measured as (
    select
        *,
        case measure
            when 'mean' then mean_published
            else round(per * numerator_published / nullif(denominator_published, 0), 1)
        end as value_published,
        case measure
            when 'proportion' then per * {{ wilson_share_bound('numerator_published', 'denominator_published', '-') }}
            when 'mean' then case when mean_published is not null then lower_95 end
            else per * {{ poisson_bound('numerator_published', '-') }} / nullif(denominator_published, 0)
        end as lower_published,
        case measure
            when 'proportion' then per * {{ wilson_share_bound('numerator_published', 'denominator_published', '+') }}
            when 'mean' then case when mean_published is not null then upper_95 end
            else per * {{ poisson_bound('numerator_published', '+') }} / nullif(denominator_published, 0)
        end as upper_published
    from remade
)

select
    measured.indicator,
    measured.indicator_title,
    measured.definition_version,
    measured.area_level,
    measured.area_code,
    measured.area_name,
    measured.period,
    measured.period_start,
    measured.period_end,
    measured.breakdown,
    measured.breakdown_value,
    measured.measure,
    measured.per,
    measured.numerator_published::integer as numerator,
    measured.denominator_published::bigint as denominator,
    measured.units_published as units,
    measured.units_all,
    measured.value_published::numeric(10, 1) as value,
    case when measured.value_published is not null then measured.lower_published end::numeric(10, 1) as lower_95,
    case when measured.value_published is not null then measured.upper_published end::numeric(10, 1) as upper_95,
    case when measured.value_published is not null then measured.compared_with_england end as compared_with_england,
    case when measured.value_published is not null then measured.compared_with_similar_areas end
        as compared_with_similar_areas,
    case when measured.value_published is not null then measured.direction end as direction,
    measured.value_published is null as is_suppressed,
    stale.stale_feeds
from measured
cross join {{ ref('int_stale_feeds') }} as stale
order by
    measured.indicator, measured.period_start, measured.area_level, measured.area_code,
    measured.breakdown, measured.breakdown_value
