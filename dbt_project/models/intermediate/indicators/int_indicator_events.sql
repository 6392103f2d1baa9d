{{ config(materialized='incremental') }}

{%- set topics = ['recovery', 'reoffending', 'ways_in', 'waits'] %}

with events as (
    {%- for topic in topics %}
        {% if not loop.first %}
            union all
        {% endif %}
        select
            indicator,
            person_id,
            unit_key,
            counts_from,
            counts_to,
            area_code,
            provider_code,
            drug_group,
            numerator,
            status
        from {{ ref('int_indicator_' ~ topic) }}
    {%- endfor %}
)

-- What every night counts anew is reckoned here, once.
select
    events.indicator,
    events.person_id,
    events.unit_key,
    kinds.is_by_unit,
    events.counts_from,
    events.counts_to,
    {{ step_start('events.counts_from', 'kinds.step_months', 'kinds.first_month') }} as counted_in,
    {{ certainties_of('standing') }} as certainties,
    events.area_code,
    events.provider_code,
    events.drug_group,
    persons.sex,
    persons.birth_year,
    {{ age_band('persons.birth_year', 'events.counts_from') }} as age_band,
    events.numerator,
    events.status,
    {{ status_rank('events.status') }} as status_rank
from events
inner join {{ ref('int_indicator_kinds') }} as kinds on events.indicator = kinds.indicator
inner join {{ ref('int_person_standing') }} as standing on events.person_id = standing.person_id
inner join {{ ref('int_persons') }} as persons on events.person_id = persons.person_id
