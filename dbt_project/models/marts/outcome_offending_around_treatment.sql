{{ config(materialized='incremental', indexes=[
    {'columns': ['person_id'], 'unique': true},
    {'columns': ['journey_id']},
    {'columns': ['area_code']}
]) }}

select
    around.person_id,
    around.journey_id,
    around.start_date,
    around.drug_group,
    around.exit_status,
    around.sex,
    around.age_band,
    around.area_code,
    around.provider_code,
    around.is_linked_to_police,
    around.offended_before,
    around.before_observable_on as offended_before_observable_on,
    around.offended_after,
    around.after_observable_on as offended_after_observable_on,
    around.is_compared,
    around.offences_before,
    around.offences_after,
    around.convictions_before,
    around.convictions_after,
    around.acquisitive_before,
    around.acquisitive_after,
    around.drug_related_before,
    around.drug_related_after,
    around.days_in_custody_before,
    around.days_in_custody_after,
    around.days_at_risk_before,
    around.days_at_risk_after
from {{ ref('int_offending_around_treatment') }} as around
where {{ to_build('around.person_id') }} and {{ balanced('around.person_id') }}
order by around.person_id
