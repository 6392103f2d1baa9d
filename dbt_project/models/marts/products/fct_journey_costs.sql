{{ config(materialized='incremental', indexes=[
    {'columns': ['journey_id'], 'unique': true},
    {'columns': ['person_id']}
]) }}

select
    costs.journey_id,
    costs.person_id,
    costs.end_date,
    {{ financial_year('costs.end_date') }} as end_financial_year,
    journeys.drug_group,
    journeys.area_code,
    journeys.provider_code,
    costs.pathway,
    costs.inpatient_days,
    costs.residential_days,
    costs.prescribing_days,
    costs.psychosocial_days,
    costs.recovery_support_days,
    costs.low_pounds,
    costs.mid_pounds,
    costs.high_pounds
from {{ ref('int_journey_costs') }} as costs
inner join {{ ref('int_treatment_journeys') }} as journeys on costs.journey_id = journeys.journey_id
where {{ to_build('costs.person_id') }} and {{ balanced('costs.person_id') }}
order by costs.person_id, costs.end_date, costs.journey_id
