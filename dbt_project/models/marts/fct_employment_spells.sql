{{ config(materialized='incremental', indexes=[
    {'columns': ['employment_spell_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key(['spells.person_id', 'spells.start_date']) }} as employment_spell_id,
    spells.person_id,
    spells.start_date,
    spells.end_date,
    spells.is_end_defaulted,
    spells.merged_jobs::integer as merged_jobs
from {{ ref('int_employment_spells') }} as spells
where {{ to_build('spells.person_id') }} and {{ balanced('spells.person_id') }}
