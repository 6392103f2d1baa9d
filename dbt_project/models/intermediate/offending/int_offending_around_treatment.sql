{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}
{%- set counts = ['offences', 'convictions', 'acquisitive', 'drug_related'] -%}
-- What may be said of each person: the two years before need a police feed that reaches back to them, the two years
-- after one that has waited for their proof.
with counted as (
    select
        journey_id,
        sum(offences_before) as offences_before,
        sum(offences_after) as offences_after,
        sum(convictions_before) as convictions_before,
        sum(convictions_after) as convictions_after,
        sum(offences_before) filter (where is_acquisitive) as acquisitive_before,
        sum(offences_after) filter (where is_acquisitive) as acquisitive_after,
        sum(offences_before) filter (where is_drug_related) as drug_related_before,
        sum(offences_after) filter (where is_drug_related) as drug_related_after
    from {{ ref('int_offending_around_by_group') }}
    where {{ to_build('person_id') }}
    group by journey_id
),

asked as (
    select
        windows.*,
        {%- for column in counts %}
            coalesce(counted.{{ column }}_before, 0)::integer as {{ column }}_before,
            coalesce(counted.{{ column }}_after, 0)::integer as {{ column }}_after,
        {%- endfor %}
        windows.before_proven_before - 1 as before_observable_on,
        windows.after_proven_before - 1 as after_observable_on,
        coalesce(reach.known_from <= windows.before_from, false) as is_before_covered,
        {{ covered_until_with_custody(['treatment', 'police']) }} as covered_until
    from {{ ref('int_offending_windows') }} as windows
    left join counted on windows.journey_id = counted.journey_id
    cross join {{ ref('int_police_reach') }} as reach
    cross join {{ ref('int_feed_coverage') }} as coverage
    where {{ to_build('windows.person_id') }}
),

answered as (
    {{ answers_before_and_after('asked', 'start_date') }}
)

select
    person_id,
    journey_id,
    start_date,
    drug_group,
    exit_status,
    sex,
    age_band,
    area_code,
    provider_code,
    is_linked_to_police,
    before_from,
    offended_before,
    before_observable_on,
    offended_after,
    after_observable_on,
    is_compared,
    {%- for side in ['before', 'after'] %}
        {%- set is_last_side = loop.last %}
        {%- for column in counts + ['days_in_custody', 'days_at_risk'] %}
            case when is_{{ side }}_told then {{ column }}_{{ side }} end as {{ column }}_{{ side }}
            {%- if not (is_last_side and loop.last) %},{% endif %}
        {%- endfor %}
    {%- endfor %}
from answered
