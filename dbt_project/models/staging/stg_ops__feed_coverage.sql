-- From the deliveries up to the night: a past night, built again, must not know what came later, and coverage never
-- reaches past the night.
select distinct on (feed)
    feed,
    least(coalesce(coverage_end, night), {{ night() }}) as coverage_end,
    night as last_night
from {{ source('ops', 'delivery') }}
where status = 'admitted' and night <= {{ night() }}
order by feed asc, night desc, delivery_id desc
