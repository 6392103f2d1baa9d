select
    feed,
    due_on,
    is_stale,
    reason
from {{ source('ops', 'night_feed') }}
where night = {{ night() }}
