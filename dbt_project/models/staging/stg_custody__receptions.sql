select
    record_key,
    row_key,
    sex,
    birth_year,
    reception_date,
    reception_type as reception_type_code,
    establishment as establishment_code,
    sentence_type as sentence_type_code,
    sentence_days
from {{ source('custody', 'custody__receptions') }}
where {{ valid_on_night() }}
