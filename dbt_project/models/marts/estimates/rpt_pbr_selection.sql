{{ config(indexes=[
    {'columns': ['certainty', 'cut', 'area_level', 'area_code', 'provider_code'], 'unique': true}
]) }}

select
    certainty,
    cut,
    area_level,
    area_code,
    provider_code,
    referred,
    taken_on,
    percent_of_complex,
    percent_of_others,
    difference,
    difference_lower_95,
    difference_upper_95,
    method,
    statistic,
    degrees_of_freedom,
    p_value,
    p_value_adjusted,
    finding,
    note
from {{ source('estimates', 'pbr_selection') }}
order by certainty, cut, area_level, area_code, provider_code
