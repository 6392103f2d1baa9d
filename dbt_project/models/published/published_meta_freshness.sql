select
    feed,
    coverage_end,
    last_night,
    due_on,
    is_stale,
    reason,
    {{ published_count('records', is_small('records')) }} as records,
    {{ published_count('records_linked', is_small('records_linked')) }} as records_linked,
    {{ published_count('records_left_out', is_small('records_left_out')) }} as records_left_out
from {{ ref('int_feed_records') }}
order by feed
