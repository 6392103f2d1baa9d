select
    record_key,
    row_key,
    alias_type as alias_type_code
from {{ source('police', 'police__aliases') }}
where {{ valid_on_night() }}
