select
    record_key,
    row_key,
    lad_code as local_authority_code,
    from_date as known_from_date,
    to_date as known_to_date
from {{ source('police', 'police__addresses') }}
where {{ valid_on_night() }}
