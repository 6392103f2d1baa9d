{{ config(materialized='incremental', indexes=[
    {'columns': ['proven_offence_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['offence_date']}
]) }}

-- Offences that agree in everything kept here differ by their number alone.
with numbered as (
    select
        offences.*,
        row_number() over (
            partition by
                offences.person_id, offences.offence_date, offences.disposal_date, offences.offence_class,
                offences.offence_subclass, offences.offence_group, offences.disposal, offences.custody_start_date,
                offences.custody_end_date
        ) as copy_number
    from {{ ref('int_proven_offences') }} as offences
    where {{ to_build('offences.person_id') }} and {{ balanced('offences.person_id') }}
)

select
    {{ surrogate_key([
        'person_id', 'offence_date', 'disposal_date', 'offence_class', 'offence_subclass', 'offence_group', 'disposal',
        'custody_start_date', 'custody_end_date', 'copy_number'
    ]) }} as proven_offence_id,
    person_id,
    offence_date,
    disposal_date,
    offence_class,
    offence_subclass,
    offence_group,
    offence_category,
    offence_study_group,
    is_acquisitive,
    is_serious_acquisitive,
    is_drug_related,
    is_most_serious,
    disposal,
    is_court_conviction,
    is_immediate_custody,
    is_community_order,
    custody_start_date,
    custody_end_date
from numbered
