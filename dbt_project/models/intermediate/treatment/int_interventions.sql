{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- The extract repeats an intervention in a row for each of its reviews and, the first of an episode, for each
-- interview. Its own number never leaves the provider, so an intervention is what agrees in kind, setting and date of
-- referral.
with submitted as (
    select
        links.person_id,
        ndtms.provider_code,
        ndtms.partnership_code,
        ndtms.triage_date,
        ndtms.modality_code,
        ndtms.modality_setting_code as setting_code,
        ndtms.modality_referral_date as referral_date,
        ndtms.modality_first_appointment_date as first_appointment_date,
        ndtms.modality_start_date as start_date,
        ndtms.modality_end_date as end_date,
        ndtms.modality_exit_code as exit_code,
        -- an intervention that has not begun is not open either
        case when ndtms.modality_start_date is not null then {{ or_open('ndtms.modality_end_date') }} end as open_until
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('int_links_to_build') }} as links on ndtms.record_key = links.record_key
    where ndtms.triage_date is not null and ndtms.modality_code is not null
    group by
        links.person_id, ndtms.provider_code, ndtms.partnership_code, ndtms.triage_date, ndtms.modality_code,
        ndtms.modality_setting_code, ndtms.modality_referral_date, ndtms.modality_first_appointment_date,
        ndtms.modality_start_date, ndtms.modality_end_date, ndtms.modality_exit_code
),

ended as (
    select
        *,
        max(open_until) over (
            partition by
                person_id, provider_code, partnership_code, triage_date, modality_code, setting_code, referral_date
        ) as intervention_end
    from submitted
),

interventions as (
    select
        {{ surrogate_key(['person_id', 'provider_code', 'partnership_code', 'triage_date']) }} as episode_id,
        modality_code,
        setting_code,
        referral_date,
        min(first_appointment_date) as first_appointment_date,
        min(start_date) as start_date,
        nullif(intervention_end, 'infinity'::date) as end_date,
        -- A for planned, B for unplanned, C for withdrawn: of two at the same end the worse stands
        max(exit_code) filter (where end_date = intervention_end) as exit_code
    from ended
    group by
        person_id, provider_code, partnership_code, triage_date, modality_code, setting_code, referral_date,
        intervention_end
),

timed as (
    select
        interventions.*,
        -- The first appointment offered ends the wait; where none is told, the start does. An appointment or a start
        -- before the referral is an error of the record and no wait.
        case
            when least(interventions.first_appointment_date, interventions.start_date) >= interventions.referral_date
                then
                    coalesce(interventions.first_appointment_date, interventions.start_date)
                    - interventions.referral_date
        end as waiting_days
    from interventions
)

select
    {{ surrogate_key(['timed.episode_id', 'timed.modality_code', 'timed.setting_code', 'timed.referral_date']) }}
        as intervention_id,
    episodes.person_id,
    timed.episode_id,
    episodes.journey_id,
    episodes.provider_code,
    timed.modality_code,
    modalities.modality_group,
    coalesce(modalities.is_structured, false) as is_structured,
    timed.setting_code,
    timed.referral_date,
    timed.first_appointment_date,
    timed.start_date,
    timed.end_date,
    timed.exit_code,
    case
        when modalities.is_structured
            then row_number() over (
                partition by episodes.journey_id, modalities.is_structured
                order by
                    timed.referral_date, timed.start_date, timed.modality_code, timed.setting_code,
                    episodes.triage_date, episodes.provider_code, episodes.partnership_code
            )
    end as intervention_number,
    timed.waiting_days,
    timed.waiting_days <= definitions.waiting_days as waited_within_3_weeks
from timed
inner join {{ ref('int_journey_episodes') }} as episodes on timed.episode_id = episodes.episode_id
left join {{ ref('modalities') }} as modalities on timed.modality_code = modalities.modality_code
cross join {{ ref('int_definitions') }} as definitions
where {{ to_build('episodes.person_id') }}
