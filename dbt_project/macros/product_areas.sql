{#- The code of a country by its name; people whose home is not known count for England. -#}
{% macro country_code(country) -%}
    case when {{ country }} = 'Wales' then 'W92000004' else 'E92000001' end
{%- endmacro %}


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
            ('country', {{ country_code('authorities.country') }}, authorities.country, null),
            (
                'region',
                authorities.region_code,
                authorities.region_name,
                'country ' || {{ country_code('authorities.country') }}
            ),
            ('authority', authorities.area_code, authorities.area_name, 'region ' || authorities.region_code)
        ) as level (area_level, area_code, area_name, wider_place)
    group by level.area_level, level.area_code
{%- endmacro %}


{#- The wider place that the counts of an area add up to, also of people whose home is not known, who count for England;
    null for a country and for a provider. `named_areas`, as `areas`, is joined to the area.
    Args: area_level. -#}
{% macro wider_place(area_level) -%}
    case {{ area_level }}
        when 'authority' then coalesce(areas.wider_place, 'region unknown')
        when 'region' then coalesce(areas.wider_place, 'country E92000001')
    end
{%- endmacro %}
