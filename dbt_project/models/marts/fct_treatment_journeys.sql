{{ config(indexes=[
    {'columns': ['journey_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['end_date']}
]) }}

select
    journey_id,
    person_id,
    journey_number::integer as journey_number,
    start_date,
    treatment_start_date,
    end_date,
    end_date - start_date as days_in_treatment,
    discharge_reason_code,
    coalesce(discharge_reason_group, 'still in treatment') as discharge_reason_group,
    coalesce(discharge_outcome_group, 'still in treatment') as discharge_outcome_group,
    is_successful_completion,
    drug_group,
    episode_count::integer as episode_count,
    provider_code,
    partnership_code,
    area_code
from {{ ref('int_treatment_journeys') }}
order by person_id, start_date, journey_id
