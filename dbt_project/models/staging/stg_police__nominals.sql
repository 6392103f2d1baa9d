select
    record_key,
    sex,
    birth_year,
    ethnic_observed as observed_ethnic_code,
    force_code as police_force_area_code
from {{ source('police', 'police__nominals') }}
where {{ valid_on_night() }}
