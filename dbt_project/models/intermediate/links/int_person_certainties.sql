{{ config(materialized='view') }}

{%- for certainty in ['strict', 'balanced', 'inclusive'] %}
    {% if not loop.first %}
        union all
    {% endif %}
    select
        '{{ certainty }}' as certainty,
        person_id
    from {{ ref('int_person_standing') }}
    where is_{{ certainty }}
{%- endfor %}
