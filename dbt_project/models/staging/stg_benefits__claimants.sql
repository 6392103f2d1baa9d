select
    record_key,
    sex,
    birth_year,
    lad_code as local_authority_code
from {{ source('benefits', 'benefits__claimants') }}
where {{ valid_on_night() }}
