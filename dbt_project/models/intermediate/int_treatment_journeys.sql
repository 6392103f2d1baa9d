with placed as (
    select
        episodes.*,
        -- Continuous treatment is counted to the start of the modality; without one, triage places the episode. A
        -- modality dated after the discharge is an error of the record: the episode is placed no later than its end.
        least(coalesce(episodes.modality_start_date, episodes.triage_date), episodes.discharge_date) as start_date,
        episodes.discharge_date as end_date,
        -- Both the day of discharge and the day of the next start count, so the gap itself is a day shorter.
        definitions.continuous_treatment_days - 1 as longest_gap_days
    from {{ ref('int_treatment_episodes') }} as episodes
    cross join {{ ref('int_definitions') }} as definitions
),

numbered as (
    {{ number_islands('placed', ['person_id'], touching_days='reached.longest_gap_days') }}
),

ended as (
    select
        *,
        nullif(max(spell_end) over (partition by person_id, island), 'infinity'::date) as journey_end_date,
        -- The last episode first. Ids are made of random person ids and must not decide between equals.
        row_number() over (
            partition by person_id, island
            order by triage_date desc, spell_end desc, partnership_code asc, provider_code asc
        ) as episodes_from_last
    from numbered
),

standing as (
    select
        ended.*,
        reasons.is_successful_completion,
        reasons.is_declined,
        -- A missing reason (500) is not a second, contradicting one.
        case
            when ended.discharge_date = ended.journey_end_date then nullif(ended.discharge_reason_code, 500)
        end as standing_reason_code
    from ended
    left join {{ ref('discharge_reasons') }} as reasons on ended.discharge_reason_code = reasons.reason_code
),

journeys as (
    select
        person_id,
        min(triage_date) as start_date,
        min(modality_start_date) as treatment_start_date,
        min(start_date) as continuous_from,
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
    group by person_id, island, journey_end_date
)

select
    {{ surrogate_key(['journeys.person_id', 'journeys.start_date', 'journeys.continuous_from']) }} as journey_id,
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
