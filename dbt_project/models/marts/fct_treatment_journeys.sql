{{ config(materialized='incremental', indexes=[
    {'columns': ['journey_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['end_date']}
]) }}

select
    journeys.journey_id,
    journeys.person_id,
    journeys.journey_number::integer as journey_number,
    journeys.start_date,
    journeys.treatment_start_date,
    journeys.end_date,
    journeys.end_date - journeys.start_date as days_in_treatment,
    journeys.discharge_reason_code,
    coalesce(journeys.discharge_reason_group, 'still in treatment') as discharge_reason_group,
    coalesce(journeys.discharge_outcome_group, 'still in treatment') as discharge_outcome_group,
    journeys.is_successful_completion,
    journeys.drug_group,
    journeys.episode_count::integer as episode_count,
    journeys.provider_code,
    journeys.partnership_code,
    journeys.area_code
from {{ ref('int_treatment_journeys') }} as journeys
where {{ to_build('journeys.person_id') }} and {{ balanced('journeys.person_id') }}
order by journeys.person_id, journeys.start_date, journeys.journey_id
