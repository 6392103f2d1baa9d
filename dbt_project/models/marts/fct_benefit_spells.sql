{{ config(materialized='incremental', indexes=[
    {'columns': ['benefit_spell_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key([
        'spells.person_id', 'spells.benefit_type_code', 'spells.is_out_of_work', 'spells.start_date'
    ]) }} as benefit_spell_id,
    spells.person_id,
    spells.benefit_type_code,
    types.label as benefit,
    spells.is_out_of_work,
    spells.start_date,
    spells.end_date,
    spells.merged_spells::integer as merged_spells
from {{ ref('int_benefit_spells') }} as spells
inner join {{ ref('benefit_types') }} as types on spells.benefit_type_code = types.benefit_type_code
where {{ to_build('spells.person_id') }} and {{ balanced('spells.person_id') }}
