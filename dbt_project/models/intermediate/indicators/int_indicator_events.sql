{%- set topics = ['recovery', 'deaths', 'reoffending', 'ways_in', 'waits'] -%}
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
            denominator,
            status
        from {{ ref('int_indicator_' ~ topic) }}
    {%- endfor %}
)

select
    events.indicator,
    events.person_id,
    events.unit_key,
    events.counts_from,
    events.counts_to,
    events.area_code,
    events.provider_code,
    events.drug_group,
    persons.sex,
    persons.birth_year,
    events.numerator,
    events.denominator,
    events.status
from events
-- deaths count whoever died, also people whom the register of deaths alone knows: they are no row of int_persons
left join {{ ref('int_persons') }} as persons on events.person_id = persons.person_id
