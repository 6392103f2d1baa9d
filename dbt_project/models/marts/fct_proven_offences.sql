{{ config(indexes=[
    {'columns': ['proven_offence_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['offence_date']}
]) }}

-- Offences that agree in everything kept here differ by their number alone.
with numbered as (
    select
        *,
        row_number() over (
            partition by
                person_id, offence_date, disposal_date, offence_class, offence_subclass, offence_group, disposal,
                custody_start_date, custody_end_date
        ) as copy_number
    from {{ ref('int_proven_offences') }}
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
    disposal,
    is_court_conviction,
    is_immediate_custody,
    custody_start_date,
    custody_end_date
from numbered
order by person_id, offence_date, proven_offence_id
