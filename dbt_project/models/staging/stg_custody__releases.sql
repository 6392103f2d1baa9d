select
    record_key,
    row_key,
    reception_date,
    release_date,
    release_type as release_type_code,
    establishment as establishment_code,
    licence_end_date
from {{ source('custody', 'custody__releases') }}
where {{ valid_on_night() }}
