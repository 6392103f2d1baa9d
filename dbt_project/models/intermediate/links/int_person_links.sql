{{ config(
    materialized='incremental',
    incremental_strategy='relinked',
    indexes=[{'columns': ['person_id']}, {'columns': ['record_key']}]
) }}

-- Ids are never shared by two certainties, so a person's links are found by the id alone.
select
    links.record_key,
    links.feed,
    links.person_id
from {{ ref('stg_linkage__person_link_by_certainty') }} as links
inner join {{ ref('int_person_standing') }} as standing on links.person_id = standing.person_id
{% if execute and is_nightly() -%}
    where links.person_id in ({{ relinked_persons() }})
{%- endif %}
