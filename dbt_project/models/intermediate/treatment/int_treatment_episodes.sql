{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- An episode is a person, partnership, provider and triage date (DHSC discharge grouping script), so two client numbers
-- that linkage found to be one person make one episode, not two.
with submitted as (
    select
        links.person_id,
        ndtms.provider_code,
        ndtms.partnership_code,
        ndtms.triage_date,
        ndtms.discharge_date,
        ndtms.discharge_reason_code,
        ndtms.local_authority_code,
        ndtms.drug_1_code,
        ndtms.drug_2_code,
        ndtms.drug_3_code,
        ndtms.referral_source_code,
        ndtms.accommodation_need_code,
        ndtms.employment_status_code,
        ndtms.injecting_status_code,
        min(ndtms.referral_date) as referral_date,
        min(ndtms.modality_start_date) as modality_start_date
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('int_links_to_build') }} as links on ndtms.record_key = links.record_key
    where ndtms.triage_date is not null
    group by
        links.person_id, ndtms.provider_code, ndtms.partnership_code, ndtms.triage_date, ndtms.discharge_date,
        ndtms.discharge_reason_code, ndtms.local_authority_code, ndtms.drug_1_code, ndtms.drug_2_code,
        ndtms.drug_3_code, ndtms.referral_source_code, ndtms.accommodation_need_code, ndtms.employment_status_code,
        ndtms.injecting_status_code
),

explained as (
    select
        submitted.*,
        reasons.recoded_reason_code as reason_code,
        reasons.is_successful_completion,
        reasons.is_declined,
        'opiate' in (drugs_1.drug_class, drugs_2.drug_class, drugs_3.drug_class) as has_opiate,
        'non-opiate' in (drugs_1.drug_class, drugs_2.drug_class, drugs_3.drug_class) as has_non_opiate,
        'alcohol' in (drugs_1.drug_class, drugs_2.drug_class, drugs_3.drug_class) as has_alcohol,
        true in (drugs_1.is_heroin_or_crack, drugs_2.is_heroin_or_crack, drugs_3.is_heroin_or_crack)
            as has_heroin_or_crack,
        max(submitted.discharge_date) over (
            partition by submitted.person_id, submitted.provider_code, submitted.partnership_code, submitted.triage_date
        ) as episode_discharge_date
    from submitted
    left join {{ ref('discharge_reasons') }} as reasons on submitted.discharge_reason_code = reasons.reason_code
    left join {{ ref('drugs') }} as drugs_1 on submitted.drug_1_code = drugs_1.drug_code
    left join {{ ref('drugs') }} as drugs_2 on submitted.drug_2_code = drugs_2.drug_code
    left join {{ ref('drugs') }} as drugs_3 on submitted.drug_3_code = drugs_3.drug_code
),

-- Reasons count when they were given for the discharge that stands.
applicable as (
    select
        *,
        case when discharge_date = episode_discharge_date then reason_code end as standing_reason_code
    from explained
)

select
    {{ surrogate_key(['person_id', 'provider_code', 'partnership_code', 'triage_date']) }} as episode_id,
    person_id,
    provider_code,
    partnership_code,
    triage_date,
    episode_discharge_date as discharge_date,
    min(modality_start_date) as modality_start_date,
    case
        when episode_discharge_date is not null
            then {{ resolve_discharge_reason('standing_reason_code', 'is_successful_completion', 'is_declined') }}
    end as discharge_reason_code,
    mode() within group (order by local_authority_code) as local_authority_code,
    min(referral_date) as referral_date,
    mode() within group (order by referral_source_code) as referral_source_code,
    mode() within group (order by accommodation_need_code) as accommodation_need_code,
    mode() within group (order by employment_status_code) as employment_status_code,
    mode() within group (order by injecting_status_code) as injecting_status_code,
    mode() within group (order by drug_1_code) as drug_1_code,
    mode() within group (order by drug_2_code) as drug_2_code,
    mode() within group (order by drug_3_code) as drug_3_code,
    coalesce(bool_or(has_opiate), false) as has_opiate,
    coalesce(bool_or(has_non_opiate), false) as has_non_opiate,
    coalesce(bool_or(has_alcohol), false) as has_alcohol,
    coalesce(bool_or(has_heroin_or_crack), false) as has_heroin_or_crack
from applicable
group by person_id, provider_code, partnership_code, triage_date, episode_discharge_date
