{{ config(
    materialized='incremental',
    incremental_strategy='log',
    indexes=[{'columns': ['version']}]
) }}

-- depends_on: {{ ref('stg_source__row_versions') }}, {{ ref('stg_ops__erasures') }}
-- depends_on: {{ ref('int_person_links') }}, {{ ref('int_relinked_persons') }}, {{ ref('int_persons_due') }}
{%- set state = standing_state() if execute %}
{% if not state -%}
    -- Everyone is built, so there is nobody to name.
    select
        0::bigint as version,
        null::uuid as person_id
    where false
{%- else -%}
    with changed_records as (
        select record_key
        from {{ ref('stg_source__row_versions') }}
        where
            (valid_from > date '{{ state.since_night }}' and valid_from <= {{ night() }})
            or (valid_to > date '{{ state.since_night }}' and valid_to <= {{ night() }})
        union
        -- Where consent was withdrawn, the record and its links stay and most of its rows go.
        select record_key
        from {{ ref('stg_ops__erasures') }}
        where finished_at is null or finished_at > timestamptz '{{ state.since_at }}'
    )

    select
        {{ state.version }}::bigint as version,
        links.person_id
    from {{ ref('int_person_links') }} as links
    where links.record_key in (select changed_records.record_key from changed_records)
    union
    select
        version,
        person_id
    from {{ ref('int_relinked_persons') }}
    where version = {{ state.version }}
    union
    select
        {{ state.version }}::bigint as version,
        person_id
    from {{ ref('int_persons_due') }}
{%- endif %}
