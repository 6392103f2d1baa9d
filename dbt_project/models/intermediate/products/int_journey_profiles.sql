{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- What the client said when the journey began: the rows of its first episode. Where two client records of one person
-- make that episode the more frequent answer stands, the lowest of several equally frequent ones.
with first_episodes as (
    select distinct on (journey_id)
        journey_id,
        episode_id
    from {{ ref('int_journey_episodes') }}
    where {{ to_build('person_id') }}
    order by journey_id asc, triage_date asc, partnership_code asc, provider_code asc
),

answers as (
    select
        {{ surrogate_key([
            'links.person_id', 'ndtms.provider_code', 'ndtms.partnership_code', 'ndtms.triage_date'
        ]) }} as episode_id,
        mode() within group (order by ndtms.has_been_treated_before) as has_been_treated_before,
        mode() within group (order by ndtms.parental_status_code) as parental_status_code,
        mode() within group (order by ndtms.children_with_client) as children_with_client,
        mode() within group (order by ndtms.has_dual_diagnosis) as has_dual_diagnosis,
        mode() within group (order by ndtms.first_use_age) as first_use_age
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('int_links_to_build') }} as links on ndtms.record_key = links.record_key
    where ndtms.triage_date is not null
    group by links.person_id, ndtms.provider_code, ndtms.partnership_code, ndtms.triage_date
)

select
    journeys.journey_id,
    journeys.person_id,
    journeys.start_date,
    journeys.drug_group,
    persons.sex,
    extract(year from journeys.start_date)::integer - persons.birth_year as age_at_start,
    {{ age_band('persons.birth_year', 'journeys.start_date') }} as age_band,
    groups.ethnic_group,
    episodes.referral_source_code,
    coalesce(sources.is_criminal_justice, false) as is_criminal_justice_referral,
    episodes.accommodation_need_code,
    episodes.employment_status_code,
    episodes.injecting_status_code,
    episodes.drug_1_code,
    episodes.drug_2_code,
    episodes.drug_3_code,
    episodes.has_heroin_or_crack,
    episodes.provider_code as first_provider_code,
    episodes.partnership_code as first_partnership_code,
    answers.has_dual_diagnosis,
    answers.first_use_age,
    -- Said by the client, or seen in an earlier journey.
    coalesce(answers.has_been_treated_before, false) or journeys.journey_number > 1 as has_been_treated_before,
    answers.parental_status_code,
    -- Of whom nothing was told no child is known.
    coalesce(answers.parental_status_code in ('11', '12') or answers.children_with_client > 0, false)
        as has_children_at_home
from {{ ref('int_treatment_journeys') }} as journeys
inner join first_episodes on journeys.journey_id = first_episodes.journey_id
inner join {{ ref('int_treatment_episodes') }} as episodes on first_episodes.episode_id = episodes.episode_id
inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
left join answers on first_episodes.episode_id = answers.episode_id
left join {{ ref('ethnic_groups') }} as groups on persons.ethnic_code = groups.ethnic_code
left join {{ ref('referral_sources') }} as sources on episodes.referral_source_code = sources.referral_source_code
where {{ to_build('journeys.person_id') }}
