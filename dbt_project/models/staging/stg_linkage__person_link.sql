select
    record_key,
    feed,
    person_id
from {{ source('linkage', 'person_link') }}
where certainty = 'balanced' and {{ valid_on_night() }}
