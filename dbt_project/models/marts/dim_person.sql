{{ config(materialized='incremental', indexes=[{'columns': ['person_id'], 'unique': true}]) }}

select
    persons.person_id,
    persons.sex,
    persons.birth_year,
    groups.label as ethnicity,
    groups.ethnic_group,
    -- the month alone: a day of death is near enough to an identifier
    date_trunc('month', persons.death_date)::date as death_month,
    persons.record_count::integer as record_count,
    persons.is_linked_to_treatment,
    persons.is_linked_to_police,
    persons.is_linked_to_benefits,
    persons.is_linked_to_housing,
    persons.is_linked_to_custody
from {{ ref('int_persons') }} as persons
left join {{ ref('ethnic_groups') }} as groups on persons.ethnic_code = groups.ethnic_code
where {{ to_build('persons.person_id') }} and {{ balanced('persons.person_id') }}
