{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Complexity is judged once, from what was known when the journey began. Vaccination is told without a date, in any row
-- of the journey.
with vaccinations as (
    select
        {{ surrogate_key([
            'links.person_id', 'ndtms.provider_code', 'ndtms.partnership_code', 'ndtms.triage_date'
        ]) }} as episode_id,
        bool_or(ndtms.hepatitis_b_status_code = 'A') as has_accepted,
        bool_or(ndtms.hepatitis_b_vaccination_code = 'C') as has_completed
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('int_links_to_build') }} as links on ndtms.record_key = links.record_key
    where ndtms.triage_date is not null and ndtms.hepatitis_b_status_code is not null
    group by links.person_id, ndtms.provider_code, ndtms.partnership_code, ndtms.triage_date
),

vaccinated as (
    select
        episodes.journey_id,
        bool_or(vaccinations.has_accepted) as has_accepted,
        bool_or(vaccinations.has_completed) as has_completed
    from {{ ref('int_journey_episodes') }} as episodes
    inner join vaccinations on episodes.episode_id = vaccinations.episode_id
    where {{ to_build('episodes.person_id') }}
    group by episodes.journey_id
),

scored as (
    select
        profiles.journey_id,
        coalesce(sum(points.points), 0)::integer as complexity_points,
        string_agg(points.label || ' ' || points.points, '; ' order by points.points desc, points.label asc)
            as complexity_working
    from {{ ref('int_journey_profiles') }} as profiles
    left join {{ ref('employment_statuses') }} as work
        on profiles.employment_status_code = work.employment_status_code
    cross join
        lateral (
            values
            ('opiates', profiles.drug_group = 'opiate'),
            ('crack', '3201' in (profiles.drug_1_code, profiles.drug_2_code, profiles.drug_3_code)),
            ('injecting_now', profiles.injecting_status_code = 'C'),
            ('injected_before', profiles.injecting_status_code = 'P'),
            ('no_fixed_abode', profiles.accommodation_need_code = '1'),
            ('housing_problem', profiles.accommodation_need_code = '2'),
            ('not_in_work', not work.is_in_paid_work),
            ('treated_before', profiles.has_been_treated_before),
            ('dual_diagnosis', profiles.has_dual_diagnosis),
            ('criminal_justice', profiles.is_criminal_justice_referral)
        ) as traits (characteristic, holds)
    left join {{ ref('pbr_complexity_points') }} as points
        on traits.characteristic = points.characteristic and traits.holds
    where {{ to_build('profiles.person_id') }}
    group by profiles.journey_id
)

select
    journeys.journey_id,
    journeys.person_id,
    scored.complexity_points,
    groups.complexity_group,
    coalesce(scored.complexity_working, 'nothing that counts') as complexity_working,
    profiles.first_provider_code,
    -- a client who was never asked about housing or vaccination has no need of either that is known
    coalesce(profiles.accommodation_need_code in ('1', '2'), false) as had_housing_problem,
    coalesce(vaccinated.has_accepted, false) as has_accepted_vaccination,
    coalesce(vaccinated.has_completed, false) as has_completed_vaccination
from {{ ref('int_treatment_journeys') }} as journeys
inner join {{ ref('int_journey_profiles') }} as profiles on journeys.journey_id = profiles.journey_id
inner join scored on journeys.journey_id = scored.journey_id
inner join lateral (
    select bands.complexity_group
    from {{ ref('pbr_complexity_groups') }} as bands
    where bands.lowest_points <= scored.complexity_points
    order by bands.lowest_points desc
    limit 1
) as groups on true
left join vaccinated on journeys.journey_id = vaccinated.journey_id
where {{ to_build('journeys.person_id') }}
