with map as (
    select
        *,
        row_number() over (order by cut, financial_year, measure, area_level, area_code) as cell_id
    from {{ ref('rpt_local_map') }}
    where certainty = 'balanced'
),

cells as (
    select
        cell_id,
        concat_ws('|', cut, financial_year, measure) as block,
        count,
        area_level = 'authority' as is_total,
        {{ is_small('people') }} as is_small,
        -- The districts of an authority add up to it. An LSOA adds up to nothing that is published.
        array[concat_ws('|', cut, financial_year, measure, coalesce(authority_code, area_code))] as lines
    from map
),

{{ decide_withheld('cells') }},

rounded as (
    select
        map.*,
        {{ published_count('map.count', 'decided_cells.is_withheld') }} as count_published
    from map
    inner join decided_cells on map.cell_id = decided_cells.cell_id
)

-- Places without anybody have no row either: a count that is missing is below five.
select
    rounded.cut,
    rounded.financial_year,
    rounded.measure,
    measures.label as measure_label,
    measures.topic,
    rounded.counts,
    rounded.area_level,
    rounded.area_code,
    rounded.area_name,
    rounded.authority_code,
    rounded.count_published as count,
    rounded.population,
    (1000.0 * rounded.count_published / rounded.population)::numeric(9, 3) as per_1000,
    (1000.0 * {{ poisson_bound('rounded.count_published', '-') }} / rounded.population)::numeric(9, 3)
        as per_1000_lower_95,
    (1000.0 * {{ poisson_bound('rounded.count_published', '+') }} / rounded.population)::numeric(9, 3)
        as per_1000_upper_95,
    rounded.longitude,
    rounded.latitude,
    case
        when rounded.longitude is not null
            then
                json_build_object(
                    'type', 'Point', 'coordinates', json_build_array(rounded.longitude, rounded.latitude)
                )::text
    end as point_geometry,
    stale.stale_feeds
from rounded
inner join {{ ref('local_map_measures') }} as measures on rounded.measure = measures.measure
cross join {{ ref('int_stale_feeds') }} as stale
where rounded.count_published is not null
order by rounded.cut, rounded.financial_year, rounded.measure, rounded.area_level, rounded.area_code
