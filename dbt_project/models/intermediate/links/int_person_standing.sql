{{ config(
    materialized='incremental',
    incremental_strategy='relinked',
    indexes=[{'columns': ['person_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('int_relinked_persons') }}
with links as (
    select
        certainty,
        record_key,
        person_id
    from {{ ref('stg_linkage__person_link_by_certainty') }}
    {% if execute and is_nightly() %}
        where person_id in ({{ relinked_persons() }})
    {% endif %}
),

sizes as (
    select
        certainty,
        person_id,
        count(*) as records
    from links
    group by certainty, person_id
),

shared_records as (
    select
        others.certainty,
        others.person_id,
        balanced.person_id as balanced_id,
        count(*) as records
    from links as others
    inner join links as balanced on others.record_key = balanced.record_key and balanced.certainty = 'balanced'
    where others.certainty != 'balanced'
    group by others.certainty, others.person_id, balanced.person_id
),

-- Two persons are one set of records when they share as many as either has.
same as (
    select
        shared_records.certainty,
        shared_records.person_id,
        shared_records.balanced_id
    from shared_records
    inner join sizes as others
        on shared_records.person_id = others.person_id and shared_records.records = others.records
    inner join sizes as balanced
        on
            shared_records.balanced_id = balanced.person_id
            and shared_records.records = balanced.records
),

same_as_balanced as (
    select
        balanced_id,
        bool_or(certainty = 'strict') as is_strict,
        bool_or(certainty = 'inclusive') as is_inclusive
    from same
    group by balanced_id
)

select
    sizes.person_id,
    coalesce(same_as_balanced.is_strict, false) as is_strict,
    true as is_balanced,
    coalesce(same_as_balanced.is_inclusive, false) as is_inclusive
from sizes
left join same_as_balanced on sizes.person_id = same_as_balanced.balanced_id
where sizes.certainty = 'balanced'

union all

select
    sizes.person_id,
    sizes.certainty = 'strict' as is_strict,
    false as is_balanced,
    sizes.certainty = 'inclusive' as is_inclusive
from sizes
left join same on sizes.person_id = same.person_id
where sizes.certainty != 'balanced' and same.person_id is null
