{{ config(materialized='incremental', indexes=[
    {'columns': ['accommodation_spell_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key(['spells.person_id', 'spells.start_date']) }} as accommodation_spell_id,
    spells.person_id,
    spells.start_date,
    spells.end_date,
    spells.accommodation_type,
    spells.is_settled,
    spells.evidence,
    spells.area_code
from {{ ref('int_accommodation_spells') }} as spells
where {{ to_build('spells.person_id') }} and {{ balanced('spells.person_id') }}
