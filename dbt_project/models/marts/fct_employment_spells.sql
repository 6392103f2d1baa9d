{{ config(indexes=[
    {'columns': ['employment_spell_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key(['person_id', 'start_date']) }} as employment_spell_id,
    person_id,
    start_date,
    end_date,
    is_end_defaulted,
    merged_jobs::integer as merged_jobs
from {{ ref('int_employment_spells') }}
order by person_id, start_date
