{{ config(materialized='incremental', indexes=[
    {'columns': ['episode_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['journey_id']},
    {'columns': ['triage_date']}
]) }}

select
    episodes.episode_id,
    journeys.journey_id,
    episodes.person_id,
    episodes.provider_code,
    episodes.partnership_code,
    areas.area_code,
    episodes.referral_date,
    sources.label as referral_source,
    coalesce(sources.is_criminal_justice, false) as is_criminal_justice_referral,
    episodes.triage_date,
    episodes.modality_start_date as treatment_start_date,
    episodes.discharge_date,
    episodes.discharge_date - episodes.triage_date as days_in_episode,
    episodes.discharge_reason_code,
    coalesce(reasons.reason_group, 'still in treatment') as discharge_reason_group,
    episodes.drug_1_code,
    episodes.drug_2_code,
    episodes.drug_3_code,
    needs.label as accommodation_need,
    employments.label as employment_status,
    injecting.label as injecting_status
from {{ ref('int_treatment_episodes') }} as episodes
inner join {{ ref('int_journey_episodes') }} as journeys on episodes.episode_id = journeys.episode_id
left join {{ ref('int_area_lookup') }} as areas on episodes.local_authority_code = areas.local_authority_code
left join {{ ref('discharge_reasons') }} as reasons on episodes.discharge_reason_code = reasons.reason_code
left join {{ ref('referral_sources') }} as sources on episodes.referral_source_code = sources.referral_source_code
left join {{ ref('accommodation_needs') }} as needs on episodes.accommodation_need_code = needs.accommodation_need_code
left join {{ ref('employment_statuses') }} as employments
    on episodes.employment_status_code = employments.employment_status_code
left join {{ ref('injecting_statuses') }} as injecting
    on episodes.injecting_status_code = injecting.injecting_status_code
where {{ to_build('episodes.person_id') }} and {{ balanced('episodes.person_id') }}
order by episodes.person_id, episodes.triage_date, episodes.episode_id
