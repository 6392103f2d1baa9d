select
    record_key,
    finished_at
from {{ source('ops', 'erasure') }}
where key_name = 'record_key'
