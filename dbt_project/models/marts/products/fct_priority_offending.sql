{{ config(materialized='incremental', indexes=[
    {'columns': ['priority_spell_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key(['spells.person_id', 'spells.start_date']) }} as priority_spell_id,
    spells.person_id,
    spells.start_date,
    spells.end_date,
    spells.end_date - spells.start_date as days_listed,
    strands.label as strand,
    reasons.label as removal_reason,
    spells.area_code,
    spells.nominations::integer as nominations,
    spells.spell_number::integer as spell_number
from {{ ref('int_priority_spells') }} as spells
left join {{ ref('priority_strands') }} as strands on spells.strand_code = strands.strand_code
left join {{ ref('priority_removal_reasons') }} as reasons on spells.removal_reason_code = reasons.removal_reason_code
where {{ to_build('spells.person_id') }} and {{ balanced('spells.person_id') }}
