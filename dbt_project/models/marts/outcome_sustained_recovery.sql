{{ config(materialized='incremental', incremental_strategy='persons_and_feeds', indexes=[
    {'columns': ['journey_id', 'horizon_months'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['area_code', 'end_financial_year']}
]) }}

select
    journeys.journey_id,
    sustained.horizon_months,
    journeys.person_id,
    journeys.journey_number::integer as journey_number,
    journeys.end_date,
    {{ financial_year('journeys.end_date') }} as end_financial_year,
    journeys.drug_group,
    journeys.area_code,
    journeys.provider_code,
    persons.is_linked_to_police,
    persons.is_linked_to_benefits,
    persons.is_linked_to_housing,
    sustained.not_back_in_treatment,
    sustained.not_back_in_treatment_observable_on,
    sustained.no_proven_offence,
    sustained.no_proven_offence_observable_on,
    sustained.off_out_of_work_benefit,
    sustained.asked_on as off_out_of_work_benefit_observable_on,
    sustained.in_work,
    sustained.asked_on as in_work_observable_on,
    sustained.in_work_13_weeks,
    sustained.asked_on as in_work_13_weeks_observable_on,
    sustained.in_work_26_weeks,
    sustained.asked_on as in_work_26_weeks_observable_on,
    sustained.settled,
    sustained.asked_on as settled_observable_on,
    sustained.alive,
    sustained.asked_on as alive_observable_on,
    sustained.off_drugs_off_benefit_in_work,
    sustained.asked_on as off_drugs_off_benefit_in_work_observable_on,
    stale.stale_feeds
from {{ ref('int_outcomes_sustained') }} as sustained
inner join {{ ref('int_treatment_journeys') }} as journeys on sustained.journey_id = journeys.journey_id
inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
cross join {{ ref('int_stale_feeds') }} as stale
where {{ to_build_as_feeds_stand('journeys.person_id') }} and {{ balanced('journeys.person_id') }}
order by journeys.person_id, journeys.end_date, journeys.journey_id, sustained.horizon_months
