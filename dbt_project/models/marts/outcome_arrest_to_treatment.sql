{{ config(materialized='incremental', indexes=[
    {'columns': ['arrest_event_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['arrest_date']}
]) }}

select
    outcomes.arrest_id as arrest_event_id,
    outcomes.person_id,
    outcomes.arrest_date,
    outcomes.is_trigger_offence,
    outcomes.opiate_result,
    outcomes.cocaine_result,
    outcomes.is_positive,
    outcomes.was_engaged,
    outcomes.next_arrest_date,
    persons.sex,
    {{ age_band('persons.birth_year', 'outcomes.arrest_date') }} as age_band,
    outcomes.area_code,
    persons.is_linked_to_treatment,
    outcomes.journey_id,
    outcomes.assessment_date,
    outcomes.days_to_assessment,
    outcomes.treatment_start_date,
    outcomes.days_to_treatment,
    outcomes.arrest_to_assessment,
    outcomes.arrest_to_assessment_observable_on,
    outcomes.arrest_to_treatment,
    outcomes.arrest_to_treatment_observable_on
from {{ ref('int_outcomes_arrest') }} as outcomes
inner join {{ ref('int_persons') }} as persons on outcomes.person_id = persons.person_id
where {{ to_build('outcomes.person_id') }} and {{ balanced('outcomes.person_id') }}
order by outcomes.person_id, outcomes.arrest_date, outcomes.arrest_id
