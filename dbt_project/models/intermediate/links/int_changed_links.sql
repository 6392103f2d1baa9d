{{ config(indexes=[{'columns': ['record_key']}]) }}

select links.*
from {{ ref('int_person_links') }} as links
where links.person_id in (select persons.person_id from {{ ref('int_persons_to_build') }} as persons)
