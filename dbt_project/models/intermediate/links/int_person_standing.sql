{{ config(
    materialized='incremental',
    incremental_strategy='relinked',
    indexes=[{'columns': ['person_id'], 'unique': true}]
) }}

-- depends_on: {{ ref('int_relinked_persons') }}
with strict as (
    {{ links_of_certainty('strict') }}
),

balanced as (
    {{ links_of_certainty('balanced') }}
),

inclusive as (
    {{ links_of_certainty('inclusive') }}
),

-- Persons are nested: a strict one lies within one balanced person, that within one inclusive person. So what three
-- persons hold a record together says all, and there are far fewer such threes than records.
nested as (
    select
        strict.person_id as strict_id,
        balanced.person_id as balanced_id,
        inclusive.person_id as inclusive_id
    from balanced
    full join strict on balanced.record_key = strict.record_key
    full join inclusive on coalesce(balanced.record_key, strict.record_key) = inclusive.record_key
    group by strict.person_id, balanced.person_id, inclusive.person_id
),

-- A person that lies in one piece within the next is the same set of records. On a nightly build a piece that nothing
-- changed may be missing: it counts as a piece, without an id.
balanced_persons as (
    select
        balanced_id,
        inclusive_id,
        count(*) as strict_pieces
    from nested
    group by balanced_id, inclusive_id
),

inclusive_persons as (
    select
        inclusive_id,
        count(*) as balanced_pieces
    from balanced_persons
    group by inclusive_id
)

select
    balanced_persons.balanced_id as person_id,
    balanced_persons.strict_pieces = 1 as is_strict,
    true as is_balanced,
    coalesce(inclusive_persons.balanced_pieces = 1, false) as is_inclusive
from balanced_persons
left join inclusive_persons on balanced_persons.inclusive_id = inclusive_persons.inclusive_id
where balanced_persons.balanced_id is not null

union all

select
    nested.strict_id as person_id,
    true as is_strict,
    false as is_balanced,
    false as is_inclusive
from nested
inner join balanced_persons on nested.balanced_id = balanced_persons.balanced_id
where balanced_persons.strict_pieces > 1 and nested.strict_id is not null

union all

select
    inclusive_id as person_id,
    false as is_strict,
    false as is_balanced,
    true as is_inclusive
from inclusive_persons
where balanced_pieces > 1 and inclusive_id is not null
