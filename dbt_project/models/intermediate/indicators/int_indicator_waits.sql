{{ config(materialized='view') }}

-- Published waiting times are those of the first interventions of journeys, on the day that ended the wait.
select
    'waited_within_3_weeks' as indicator,
    interventions.person_id,
    interventions.intervention_id::text as unit_key,
    interventions.referral_date + interventions.waiting_days as counts_from,
    interventions.referral_date + interventions.waiting_days as counts_to,
    journeys.area_code,
    interventions.provider_code,
    journeys.drug_group,
    interventions.waited_within_3_weeks::integer as numerator,
    case when interventions.waited_within_3_weeks then 'yes' else 'no' end as status
from {{ ref('int_interventions') }} as interventions
inner join {{ ref('int_treatment_journeys') }} as journeys on interventions.journey_id = journeys.journey_id
where
    interventions.intervention_number = 1
    and interventions.waiting_days is not null
    and {{ to_build('interventions.person_id') }}
