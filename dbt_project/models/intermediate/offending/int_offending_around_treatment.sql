{%- set counts = ['offences', 'convictions', 'acquisitive', 'drug_related'] -%}
{#- The answers with which a side's counts are shown. -#}
{%- set sides = {
    'before': "offended_before in ('yes', 'no')",
    'after': "offended_after in ('yes', 'no', 'censored by death')",
} -%}
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
),

answered as (
    select
        *,
        -- whoever starts treatment was alive in the two years before: nothing censors them
        {{ outcome_status(
            happened='offences_before > 0',
            follow_up_ends_on='start_date - 1',
            observable_on='before_observable_on',
            covered_until='covered_until',
            death_date='null::date',
            is_linked='is_linked_to_police',
            is_applicable='is_before_covered'
        ) }} as offended_before,
        {{ outcome_status(
            happened='offences_after > 0',
            follow_up_ends_on='after_before - 1',
            observable_on='after_observable_on',
            covered_until='covered_until',
            death_date='death_date',
            is_linked='is_linked_to_police'
        ) }} as offended_after
    from asked
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
    offended_before,
    before_observable_on,
    offended_after,
    after_observable_on,
    -- Death shortens the time at risk after the start; what was done in it counts for rates all the same.
    is_linked_to_police and offended_before in ('yes', 'no') and offended_after != 'not yet observable' as is_compared,
    {%- for side, statuses in sides.items() %}
        {%- set is_last_side = loop.last %}
        {%- for column in counts + ['days_in_custody', 'days_at_risk'] %}
            case when {{ statuses }} then {{ column }}_{{ side }} end as {{ column }}_{{ side }}
            {%- if not (is_last_side and loop.last) %},{% endif %}
        {%- endfor %}
    {%- endfor %}
from answered
