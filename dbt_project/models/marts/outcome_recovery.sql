{{ config(materialized='incremental', incremental_strategy='persons_and_feeds', indexes=[
    {'columns': ['journey_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['area_code', 'end_financial_year']}
]) }}

select
    journeys.journey_id,
    journeys.person_id,
    journeys.journey_number::integer as journey_number,
    journeys.start_date,
    journeys.end_date,
    {{ financial_year('journeys.end_date') }} as end_financial_year,
    journeys.drug_group,
    journeys.area_code,
    journeys.provider_code,
    journeys.discharge_reason_group,
    persons.is_linked_to_police,
    persons.is_linked_to_benefits,
    persons.is_linked_to_housing,
    completion.status as successful_completion,
    completion.observable_on as successful_completion_observable_on,
    returns_6m.status as re_presentation_6m,
    returns_6m.observable_on as re_presentation_6m_observable_on,
    returns_12m.status as re_presentation_12m,
    returns_12m.observable_on as re_presentation_12m_observable_on,
    reoffending.proven_reoffence_12m,
    reoffending.proven_reoffence_12m_observable_on,
    work_6m.status as in_work_off_benefit_6m,
    work_6m.observable_on as in_work_off_benefit_6m_observable_on,
    work_12m.status as in_work_off_benefit_12m,
    work_12m.observable_on as in_work_off_benefit_12m_observable_on,
    settled_6m.status as settled_accommodation_6m,
    settled_6m.observable_on as settled_accommodation_6m_observable_on,
    settled_12m.status as settled_accommodation_12m,
    settled_12m.observable_on as settled_accommodation_12m_observable_on,
    stale.stale_feeds
from {{ ref('int_treatment_journeys') }} as journeys
inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
inner join {{ ref('int_outcomes_treatment') }} as completion
    on journeys.journey_id = completion.journey_id and completion.indicator = 'successful_completion'
inner join {{ ref('int_outcomes_treatment') }} as returns_6m
    on journeys.journey_id = returns_6m.journey_id and returns_6m.indicator = 're_presentation_6m'
inner join {{ ref('int_outcomes_treatment') }} as returns_12m
    on journeys.journey_id = returns_12m.journey_id and returns_12m.indicator = 're_presentation_12m'
inner join {{ ref('int_outcomes_reoffending') }} as reoffending on journeys.journey_id = reoffending.journey_id
inner join {{ ref('int_outcomes_work') }} as work_6m
    on journeys.journey_id = work_6m.journey_id and work_6m.indicator = 'in_work_off_benefit_6m'
inner join {{ ref('int_outcomes_work') }} as work_12m
    on journeys.journey_id = work_12m.journey_id and work_12m.indicator = 'in_work_off_benefit_12m'
inner join {{ ref('int_outcomes_accommodation') }} as settled_6m
    on journeys.journey_id = settled_6m.journey_id and settled_6m.indicator = 'settled_accommodation_6m'
inner join {{ ref('int_outcomes_accommodation') }} as settled_12m
    on journeys.journey_id = settled_12m.journey_id and settled_12m.indicator = 'settled_accommodation_12m'
cross join {{ ref('int_stale_feeds') }} as stale
where {{ to_build_as_feeds_stand('journeys.person_id') }} and {{ balanced('journeys.person_id') }}
order by journeys.person_id, journeys.end_date, journeys.journey_id
