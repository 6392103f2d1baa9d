{#- The countries, regions and authorities of published tables, as the body of a select: area_level, area_code,
    area_name and wider_place (level and code of the place that the area's counts add up to; null for a country). -#}
{% macro named_areas() -%}
    select
        level.area_level,
        level.area_code,
        max(level.area_name) as area_name,
        max(level.wider_place) as wider_place
    from {{ ref('dim_area') }} as authorities
    cross join
        lateral (
            values
            (
                'country',
                case when authorities.country = 'Wales' then 'W92000004' else 'E92000001' end,
                authorities.country,
                null
            ),
            (
                'region',
                authorities.region_code,
                authorities.region_name,
                'country ' || case when authorities.country = 'Wales' then 'W92000004' else 'E92000001' end
            ),
            ('authority', authorities.area_code, authorities.area_name, 'region ' || authorities.region_code)
        ) as level (area_level, area_code, area_name, wider_place)
    group by level.area_level, level.area_code
{%- endmacro %}
