{{ config(materialized='incremental', indexes=[
    {'columns': ['intervention_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['journey_id']},
    {'columns': ['referral_date']}
]) }}

select
    interventions.intervention_id,
    interventions.episode_id,
    interventions.journey_id,
    interventions.person_id,
    interventions.intervention_number::integer as intervention_number,
    interventions.provider_code,
    modalities.label as modality,
    interventions.modality_group,
    interventions.is_structured,
    settings.label as setting,
    interventions.referral_date,
    interventions.first_appointment_date,
    interventions.start_date,
    interventions.end_date,
    case interventions.exit_code when 'A' then 'planned' when 'B' then 'unplanned' when 'C' then 'withdrawn' end
        as exit_status,
    interventions.waiting_days,
    interventions.waited_within_3_weeks
from {{ ref('int_interventions') }} as interventions
left join {{ ref('modalities') }} as modalities on interventions.modality_code = modalities.modality_code
left join {{ ref('modality_settings') }} as settings on interventions.setting_code = settings.setting_code
where {{ to_build('interventions.person_id') }} and {{ balanced('interventions.person_id') }}
order by interventions.person_id, interventions.referral_date, interventions.intervention_id
