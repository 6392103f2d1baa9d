-- The whole history at every certainty: a night's change are the links that began or ended in it.
select
    record_key,
    certainty,
    person_id,
    _valid_from as valid_from,
    _valid_to as valid_to
from {{ source('linkage', 'person_link') }}
