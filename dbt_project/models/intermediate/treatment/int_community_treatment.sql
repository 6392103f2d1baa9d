{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Episodes of treatment outside prison: all but those whose every intervention is set in prison. An episode without a
-- setting is taken to be in the community, where nearly all treatment is.
with settings as (
    select
        interventions.episode_id,
        bool_and(coalesce(places.is_prison, false)) as is_in_prison
    from {{ ref('int_interventions') }} as interventions
    left join {{ ref('modality_settings') }} as places on interventions.setting_code = places.setting_code
    where {{ to_build('interventions.person_id') }}
    group by interventions.episode_id
)

select
    episodes.episode_id,
    episodes.person_id,
    episodes.triage_date as start_date,
    episodes.discharge_date as end_date
from {{ ref('int_treatment_episodes') }} as episodes
left join settings on episodes.episode_id = settings.episode_id
where not coalesce(settings.is_in_prison, false) and {{ to_build('episodes.person_id') }}
