-- A build of a past night must not know what came later, so coverage never reaches past the night.
select
    feed,
    least(coverage_end, {{ night() }}) as coverage_end,
    least(last_night, {{ night() }}) as last_night
from {{ source('ops', 'feed_coverage') }}
