{{ config(
    materialized='incremental',
    incremental_strategy='log',
    pre_hook="{{ forget_unplanned_state() }}"
) }}

-- depends_on: {{ ref('stg_linkage__link_versions') }}, {{ ref('stg_linkage__person_link_by_certainty') }}
-- depends_on: {{ ref('stg_ops__erasures') }}
{%- set state = standing_state() if execute %}
{% if not state -%}
    -- Everyone is built, so there is nobody to name.
    select
        0::bigint as version,
        null::uuid as person_id
    where false
{%- else -%}
    -- Persons of the three certainties are nested, so whoever shares a record with a person whose records changed has to
    -- be looked at again: two persons may have become the same set of records, or ceased to be.
    with changed_links as (
        select
            record_key,
            person_id
        from {{ ref('stg_linkage__link_versions') }}
        where
            (valid_from > date '{{ state.since_night }}' and valid_from <= {{ night() }})
            or (valid_to > date '{{ state.since_night }}' and valid_to <= {{ night() }})
    ),

    -- What an erasure removed is known only from the links as they were built before.
    erased_links as (
        select
            built.record_key,
            built.person_id
        from intermediate.int_person_links as built
        inner join {{ ref('stg_ops__erasures') }} as erasures on built.record_key = erasures.record_key
        where erasures.finished_at is null or erasures.finished_at > timestamptz '{{ state.since_at }}'
    ),

    changed_records as (
        select distinct record_key
        from changed_links
    ),

    seeds as (
        select person_id from changed_links
        union
        select person_id from erased_links
        union
        select standing.person_id
        from changed_records
        cross join
            lateral (
                {{ looked_up('stg_linkage__person_link_by_certainty', 'record_key', 'changed_records') }}
            ) as standing
        union
        -- A build that did not finish may have written these already.
        select person_id
        from {{ this }}
        where version > {{ state.since_version }}
    ),

    records as (
        select distinct standing.record_key
        from seeds
        cross join
            lateral (
                {{ looked_up('stg_linkage__person_link_by_certainty', 'person_id', 'seeds') }}
            ) as standing
    ),

    relinked as (
        select person_id from seeds
        union
        select standing.person_id
        from records
        cross join
            lateral (
                {{ looked_up('stg_linkage__person_link_by_certainty', 'record_key', 'records') }}
            ) as standing
        union
        select built.person_id
        from records
        cross join
            lateral (
                select links.person_id
                from intermediate.int_person_links as links
                where links.record_key = records.record_key
                offset 0
            ) as built
    )

    select
        {{ state.version }}::bigint as version,
        person_id
    from relinked
{%- endif %}
