select
    record_key,
    case_key,
    relationship as relationship_code,
    sex,
    birth_year,
    ethnic as ethnic_code
from {{ source('housing', 'housing__people') }}
where {{ valid_on_night() }}
