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
        min(ndtms.modality_start_date) as modality_start_date
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('stg_linkage__person_link') }} as links on ndtms.record_key = links.record_key
    where ndtms.triage_date is not null
    group by
        links.person_id, ndtms.provider_code, ndtms.partnership_code, ndtms.triage_date, ndtms.discharge_date,
        ndtms.discharge_reason_code, ndtms.local_authority_code, ndtms.drug_1_code, ndtms.drug_2_code, ndtms.drug_3_code
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
    coalesce(bool_or(has_opiate), false) as has_opiate,
    coalesce(bool_or(has_non_opiate), false) as has_non_opiate,
    coalesce(bool_or(has_alcohol), false) as has_alcohol
from applicable
group by person_id, provider_code, partnership_code, triage_date, episode_discharge_date
