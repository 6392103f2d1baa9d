select
    record_key,
    row_key,
    arrest_date,
    trigger_offence as is_trigger_offence,
    opiate_result as opiate_result_code,
    cocaine_result as cocaine_result_code
from {{ source('police', 'police__arrests') }}
where {{ valid_on_night() }}
