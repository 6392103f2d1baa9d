{{ config(materialized='view') }}
{%- set everyone, changed = ref('int_person_links'), ref('int_changed_links') %}

select
    record_key,
    feed,
    person_id
from {{ changed if execute and is_nightly() else everyone }}
