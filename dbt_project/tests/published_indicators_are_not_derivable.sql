-- No withheld count of published_indicators or published_exit_reasons may be the only one missing among cells that add
-- up: the parts of a place and the place, the places within a wider one and that one, the reasons of a place and all of
-- them.
with figures as (
    select *
    from {{ ref('published_indicators') }}
),

areas as (
    select
        'authority' as area_level,
        area_code,
        'region ' || region_code as wider_place
    from {{ ref('dim_area') }}

    union

    select
        'region' as area_level,
        region_code as area_code,
        'country ' || case when country = 'Wales' then 'W92000004' else 'E92000001' end as wider_place
    from {{ ref('dim_area') }}

    union

    -- people whose home is not known are in England
    select
        level.area_level,
        'unknown' as area_code,
        level.wider_place
    from (values ('authority', 'region unknown'), ('region', 'country E92000001')) as level (area_level, wider_place)
),

counts as (
    select
        concat_ws('|', 'indicators', measure.name, figures.indicator, figures.period_start) as block,
        figures.area_level,
        figures.area_code,
        figures.breakdown,
        figures.breakdown_value,
        'all' as exit_reason,
        measure.count
    from figures
    cross join
        lateral (
            values
            ('units', figures.units, true),
            ('units_all', figures.units_all, true),
            ('numerator', figures.numerator, figures.measure = 'proportion')
        ) as measure (name, count, is_published)
    where measure.is_published

    union all

    select
        concat_ws('|', 'exits', end_financial_year) as block,
        area_level,
        area_code,
        case when drug_group = 'all' then 'all' else 'drug group' end as breakdown,
        drug_group as breakdown_value,
        exit_reason,
        journeys as count
    from {{ ref('published_exit_reasons') }}
),

lines as (
    select
        concat_ws(
            '|', counts.block, counts.area_level, counts.area_code, kind.breakdown, counts.exit_reason
        ) as line,
        counts.count
    from counts
    cross join (values ('sex'), ('age band'), ('drug group')) as kind (breakdown)
    where counts.breakdown in ('all', kind.breakdown)

    union all

    select
        concat_ws(
            '|', counts.block, counts.area_level, counts.area_code, counts.breakdown_value, 'reasons'
        ) as line,
        counts.count
    from counts
    where counts.block like 'exits|%'

    union all

    select
        concat_ws(
            '|', counts.block, 'within', areas.wider_place, counts.breakdown, counts.breakdown_value, counts.exit_reason
        ) as line,
        counts.count
    from counts
    inner join areas on counts.area_level = areas.area_level and counts.area_code = areas.area_code

    union all

    select
        concat_ws(
            '|', counts.block, 'within', counts.area_level || ' ' || counts.area_code, counts.breakdown,
            counts.breakdown_value, counts.exit_reason
        ) as line,
        counts.count
    from counts
    where counts.area_level in ('region', 'country')
)

select line
from lines
group by line
having count(*) - count(count) = 1 and count(*) > 1
