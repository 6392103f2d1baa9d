{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Numbers the journeys that episodes belong to. An episode's dates and its journey's stand side by side, so that
-- whatever hangs on an episode finds its journey.
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
    where {{ to_build('episodes.person_id') }}
),

numbered as (
    {{ number_islands('placed', ['person_id'], touching_days='reached.longest_gap_days') }}
),

bounded as (
    select
        *,
        min(triage_date) over journey as journey_start_date,
        min(start_date) over journey as continuous_from,
        nullif(max(spell_end) over journey, 'infinity'::date) as journey_end_date,
        min(modality_start_date) over journey as treatment_start_date,
        -- The last episode first. Ids are made of random person ids and must not decide between equals.
        row_number() over (
            partition by person_id, island
            order by triage_date desc, spell_end desc, partnership_code asc, provider_code asc
        ) as episodes_from_last
    from numbered
    window journey as (partition by person_id, island)
)

select
    episode_id,
    {{ surrogate_key(['person_id', 'journey_start_date', 'continuous_from']) }} as journey_id,
    person_id,
    provider_code,
    partnership_code,
    triage_date,
    discharge_date,
    discharge_reason_code,
    local_authority_code,
    has_opiate,
    has_non_opiate,
    has_alcohol,
    has_heroin_or_crack,
    journey_start_date,
    continuous_from,
    treatment_start_date,
    journey_end_date,
    episodes_from_last
from bounded
