{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with standing as (
    select
        episodes.*,
        reasons.is_successful_completion,
        reasons.is_declined,
        -- Reasons count when they were given for the discharge that ends the journey. A missing one (500) is not a
        -- second, contradicting reason.
        case
            when episodes.discharge_date = episodes.journey_end_date then nullif(episodes.discharge_reason_code, 500)
        end as standing_reason_code
    from {{ ref('int_journey_episodes') }} as episodes
    left join {{ ref('discharge_reasons') }} as reasons on episodes.discharge_reason_code = reasons.reason_code
    where {{ to_build('episodes.person_id') }}
),

journeys as (
    select
        journey_id,
        person_id,
        journey_start_date as start_date,
        treatment_start_date,
        continuous_from,
        journey_end_date as end_date,
        case
            when journey_end_date is not null
                then {{ resolve_discharge_reason('standing_reason_code', 'is_successful_completion', 'is_declined') }}
        end as discharge_reason_code,
        case
            when bool_or(has_opiate) then 'opiate'
            when bool_or(has_non_opiate) and bool_or(has_alcohol) then 'non-opiate and alcohol'
            when bool_or(has_non_opiate) then 'non-opiate only'
            when bool_or(has_alcohol) then 'alcohol only'
            else 'not known'
        end as drug_group,
        count(*) as episode_count,
        -- Where several episodes make a journey, the latest says where the person was treated and lived.
        max(provider_code) filter (where episodes_from_last = 1) as provider_code,
        max(partnership_code) filter (where episodes_from_last = 1) as partnership_code,
        max(local_authority_code) filter (where episodes_from_last = 1) as local_authority_code
    from standing
    group by journey_id, person_id, journey_start_date, treatment_start_date, continuous_from, journey_end_date
)

select
    journeys.journey_id,
    journeys.person_id,
    row_number() over (
        partition by journeys.person_id
        order by journeys.start_date, journeys.continuous_from
    ) as journey_number,
    journeys.start_date,
    journeys.treatment_start_date,
    journeys.end_date,
    journeys.discharge_reason_code,
    reasons.reason_group as discharge_reason_group,
    reasons.outcome_group as discharge_outcome_group,
    coalesce(reasons.is_successful_completion, false) as is_successful_completion,
    journeys.drug_group,
    journeys.episode_count,
    journeys.provider_code,
    journeys.partnership_code,
    areas.area_code
from journeys
left join {{ ref('discharge_reasons') }} as reasons on journeys.discharge_reason_code = reasons.reason_code
left join {{ ref('int_area_lookup') }} as areas on journeys.local_authority_code = areas.local_authority_code
