{{ config(indexes=[
    {'columns': ['accommodation_spell_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key(['person_id', 'start_date']) }} as accommodation_spell_id,
    person_id,
    start_date,
    end_date,
    accommodation_type,
    is_settled,
    evidence,
    area_code
from {{ ref('int_accommodation_spells') }}
order by person_id, start_date
