-- One row, also when every feed is on time.
select coalesce(string_agg(feed, ', ' order by feed), '') as stale_feeds
from {{ ref('stg_ops__night_feed') }}
where is_stale
