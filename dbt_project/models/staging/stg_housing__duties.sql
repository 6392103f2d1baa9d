select
    row_key,
    case_key,
    duty as duty_code,
    start_date,
    end_date,
    end_reason as end_reason_code,
    accommodation_secured as accommodation_secured_code
from {{ source('housing', 'housing__duties') }}
where {{ valid_on_night() }}
