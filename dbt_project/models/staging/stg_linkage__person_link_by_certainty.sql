select
    record_key,
    feed,
    certainty,
    person_id
from {{ source('linkage', 'person_link') }}
where {{ valid_on_night() }}
