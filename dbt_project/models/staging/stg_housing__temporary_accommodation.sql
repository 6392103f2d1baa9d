select
    row_key,
    case_key,
    ta_type as ta_type_code,
    entry_date,
    exit_date
from {{ source('housing', 'housing__temporary_accommodation') }}
where {{ valid_on_night() }}
