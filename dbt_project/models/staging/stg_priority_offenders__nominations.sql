select
    record_key,
    row_key,
    sex,
    birth_year,
    lad_code as local_authority_code,
    strand as strand_code,
    nomination_date,
    removal_date,
    removal_reason as removal_reason_code
from {{ source('priority_offenders', 'priority_offenders__nominations') }}
where {{ valid_on_night() }}
