select
    row_key,
    case_key,
    need_code as support_need_code
from {{ source('housing', 'housing__support_needs') }}
where {{ valid_on_night() }}
