{{ config(indexes=[
    {'columns': ['certainty', 'cut', 'financial_year', 'area_level', 'area_code'], 'unique': true}
]) }}

with areas as (
    select
        level.area_level,
        level.area_code,
        max(level.area_name) as area_name
    from {{ ref('dim_area') }} as authorities
    cross join
        lateral (
            values
            ('country', 'E92000001', 'England'),
            ('region', authorities.region_code, authorities.region_name),
            ('authority', authorities.area_code, authorities.area_name)
        ) as level (area_level, area_code, area_name)
    group by level.area_level, level.area_code
)

select
    estimates.certainty,
    estimates.cut,
    estimates.financial_year,
    estimates.area_level,
    estimates.area_code,
    areas.area_name,
    estimates.persons_seen,
    estimates.persons_in_treatment,
    estimates.persons_on_two_lists,
    estimates.estimate as estimated_users,
    estimates.lower_95,
    estimates.upper_95,
    estimates.population,
    1000 * estimates.estimate / estimates.population as users_per_1000,
    1000 * estimates.lower_95 / estimates.population as users_per_1000_lower_95,
    1000 * estimates.upper_95 / estimates.population as users_per_1000_upper_95,
    100 * (1 - estimates.persons_in_treatment / estimates.estimate) as percent_not_in_treatment,
    100 * (1 - estimates.persons_in_treatment / estimates.lower_95) as percent_not_in_treatment_lower_95,
    100 * (1 - estimates.persons_in_treatment / estimates.upper_95) as percent_not_in_treatment_upper_95,
    estimates.method,
    estimates.lists,
    estimates.model,
    estimates.note,
    estimates.warnings
from {{ source('estimates', 'prevalence') }} as estimates
inner join areas on estimates.area_level = areas.area_level and estimates.area_code = areas.area_code
order by
    estimates.certainty, estimates.cut, estimates.financial_year, estimates.area_level, estimates.area_code
