{{ config(materialized='incremental', indexes=[
    {'columns': ['custody_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['release_date']}
]) }}

select
    outcomes.custody_id,
    outcomes.person_id,
    outcomes.reception_date,
    outcomes.release_date,
    outcomes.is_sentenced,
    persons.sex,
    {{ age_band('persons.birth_year', 'outcomes.release_date') }} as age_band,
    outcomes.area_code,
    persons.is_linked_to_treatment,
    outcomes.need_evidence,
    outcomes.was_open_on_release,
    outcomes.engaged_on,
    outcomes.days_to_treatment,
    outcomes.received_again_on,
    outcomes.need_not_in_treatment,
    outcomes.custody_to_community,
    outcomes.custody_to_community_observable_on
from {{ ref('int_outcomes_custody') }} as outcomes
inner join {{ ref('int_persons') }} as persons on outcomes.person_id = persons.person_id
where
    outcomes.is_released_to_community
    and {{ to_build('outcomes.person_id') }}
    and {{ balanced('outcomes.person_id') }}
order by outcomes.person_id, outcomes.release_date
