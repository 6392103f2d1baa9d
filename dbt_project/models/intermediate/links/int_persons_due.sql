-- depends_on: {{ ref('int_feed_coverage') }}, {{ ref('int_police_reach') }}
{%- if execute and is_nightly() %}
    -- The outcome tables are read as they were last built.
    {{ persons_due() }}
{%- else %}
    -- Everyone is built, so there is nobody to name.
    select null::uuid as person_id
    where false
{%- endif %}
