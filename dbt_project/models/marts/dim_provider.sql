{{ config(indexes=[{'columns': ['provider_code'], 'unique': true}]) }}

select
    provider_code,
    partnership_code,
    area_code,
    first_triage_date,
    last_triage_date,
    episode_count::integer as episode_count
from {{ ref('int_providers') }}
order by provider_code
