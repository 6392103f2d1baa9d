{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- The authority police knew a person to live in, from each address learnt to the next. Of several learnt on one day the
-- lowest code stands; before the first, nothing is known.
with learnt as (
    select distinct on (links.person_id, addresses.known_from_date)
        links.person_id,
        addresses.known_from_date as start_date,
        areas.area_code,
        addresses.local_authority_code
    from {{ ref('stg_police__addresses') }} as addresses
    inner join {{ ref('int_links_to_build') }} as links on addresses.record_key = links.record_key
    inner join {{ ref('int_area_lookup') }} as areas on addresses.local_authority_code = areas.local_authority_code
    where addresses.known_from_date is not null
    order by
        links.person_id asc, addresses.known_from_date asc, areas.area_code asc,
        addresses.local_authority_code asc
)

select
    person_id,
    start_date,
    lead(start_date) over (partition by person_id order by start_date) - 1 as end_date,
    area_code,
    local_authority_code
from learnt
