{{ config(indexes=[{'columns': ['area_code'], 'unique': true}]) }}

with populations as (
    -- former districts carry the population of the authority they became part of, so they are left out of the sum
    select
        utla_code as area_code,
        sum(population_2020)::integer as population_2020
    from {{ ref('local_authorities') }}
    where is_current
    group by utla_code
),

-- Of several partnerships in one authority the one with a published code, else the one with most clients.
partnerships as (
    select distinct on (area_code)
        area_code,
        partnership_code,
        is_published
    from {{ ref('int_partnerships') }}
    where area_code is not null
    order by area_code asc, is_published desc, episode_count desc, partnership_code asc
)

select
    areas.utla_code as area_code,
    areas.utla_name as area_name,
    -- Wales has no regions: the country stands in, under its own ONS code
    coalesce(areas.region_code, 'W92000004') as region_code,
    coalesce(areas.region_name, areas.country) as region_name,
    areas.country,
    areas.pfa_code as police_force_area_code,
    areas.pfa_name as police_force_area_name,
    partnerships.partnership_code,
    coalesce(partnerships.is_published, false) as is_partnership_published,
    populations.population_2020
from {{ ref('police_force_areas') }} as areas
left join populations on areas.utla_code = populations.area_code
left join partnerships on areas.utla_code = partnerships.area_code
order by areas.utla_code
