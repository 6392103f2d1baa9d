{{ config(materialized='incremental') }}

-- What was learnt last holds until something else is learnt.
with standing as (
    select distinct on (person_id, event_date)
        person_id,
        event_date,
        evidence,
        accommodation_type,
        is_settled,
        local_authority_code
    from {{ ref('int_accommodation_events') }}
    where {{ to_build('person_id') }}
    order by
        person_id asc, event_date asc, precedence desc, is_settled desc,
        evidence asc, accommodation_type asc, local_authority_code asc
)

select
    standing.person_id,
    standing.event_date as start_date,
    lead(standing.event_date) over (partition by standing.person_id order by standing.event_date) - 1 as end_date,
    standing.accommodation_type,
    standing.is_settled,
    standing.evidence,
    areas.area_code
from standing
left join {{ ref('int_area_lookup') }} as areas on standing.local_authority_code = areas.local_authority_code
