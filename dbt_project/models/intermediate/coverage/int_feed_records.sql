{#- The models that hold a feed's records of people, and whether they have one row for each record: their own tests look
    after that. -#}
{%- set record_models = [
    ('treatment', 'stg_treatment__ndtms', false),
    ('police', 'stg_police__nominals', true),
    ('benefits', 'stg_benefits__claimants', true),
    ('housing', 'stg_housing__people', true),
    ('housing', 'stg_housing__support_services', false),
    ('deaths', 'stg_deaths__registrations', true),
    ('custody', 'stg_custody__receptions', false),
    ('priority_offenders', 'stg_priority_offenders__nominations', false),
] -%}
-- Every agency record of a person that is in source on the night, with the person linkage gave it, if any.
with records as (
    {%- for feed, model, is_one_row in record_models %}
        {% if not loop.first %}
            union all
        {% endif %}
        select
            '{{ feed }}' as feed,
            record_key
        from {{ ref(model) }}
        {%- if not is_one_row %}
            group by record_key
        {%- endif %}
    {%- endfor %}
),

counted as (
    select
        records.feed,
        count(*) as records,
        count(links.record_key) as records_linked,
        count(*) filter (where links.record_key is null) as records_left_out
    from records
    left join {{ ref('stg_linkage__person_link') }} as links on records.record_key = links.record_key
    group by records.feed
)

select
    feeds.feed,
    coverage.coverage_end,
    coverage.last_night,
    feeds.due_on,
    feeds.is_stale,
    feeds.reason,
    coalesce(counted.records, 0) as records,
    coalesce(counted.records_linked, 0) as records_linked,
    coalesce(counted.records_left_out, 0) as records_left_out
from {{ ref('stg_ops__night_feed') }} as feeds
left join {{ ref('stg_ops__feed_coverage') }} as coverage on feeds.feed = coverage.feed
left join counted on feeds.feed = counted.feed
