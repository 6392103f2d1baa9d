-- What areas and providers are compared on: journeys that ended in the period, by where they ended and who the people
-- were. Strict and inclusive links are compared by area alone.
with answered as (
    select
        journey_id,
        person_id,
        indicator as outcome,
        status
    from {{ ref('int_outcomes_treatment') }}

    union all

    select
        journey_id,
        person_id,
        'proven_reoffence_12m' as outcome,
        proven_reoffence_12m as status
    from {{ ref('int_outcomes_reoffending') }}
),

ended as (
    select
        outcomes.outcome,
        outcomes.years,
        answered.journey_id,
        answered.person_id,
        answered.status,
        journeys.end_date,
        journeys.area_code,
        journeys.provider_code,
        {{ last_day_told_of_all('answered.status', 'journeys.end_date', 'of_outcome') }} as period_end
    from answered
    inner join {{ ref('comparison_outcomes') }} as outcomes on answered.outcome = outcomes.outcome
    inner join {{ ref('int_treatment_journeys') }} as journeys on answered.journey_id = journeys.journey_id
    where journeys.end_date is not null
    window of_outcome as (partition by outcomes.outcome)
),

placed as (
    select
        ended.*,
        ({{ add_months('ended.period_end', '-12 * ended.years') }} + 1)::date as period_start
    from ended
)

select
    certainties.certainty,
    cuts.cut,
    placed.outcome,
    placed.period_start,
    placed.period_end,
    coalesce(placed.area_code, 'unknown') as area_code,
    case when certainties.certainty = 'balanced' then coalesce(placed.provider_code, 'unknown') else 'all' end
        as provider_code,
    profiles.drug_group,
    case
        when profiles.age_at_start < 18 then 'under 18'
        when profiles.age_at_start < 30 then '18 to 29'
        when profiles.age_at_start < 45 then '30 to 44'
        when profiles.age_at_start >= 45 then '45 and over'
        else 'not known'
    end as age,
    case when profiles.sex in ('M', 'F') then profiles.sex else 'not known' end as sex,
    case when profiles.has_been_treated_before then 'yes' else 'no' end as treated_before,
    case when profiles.is_criminal_justice_referral then 'yes' else 'no' end as criminal_justice_referral,
    case
        when needs.has_housing_problem then 'yes' when not needs.has_housing_problem then 'no' else 'not known'
    end as housing_problem,
    case when employment.is_in_paid_work then 'yes' else 'no or not known' end as in_paid_work,
    case
        when profiles.injecting_status_code in ('P', 'C') then 'yes' when profiles.injecting_status_code = 'N' then 'no'
        else 'not known'
    end as has_injected,
    count(*) filter (where placed.status in ('yes', 'no'))::integer as journeys,
    count(*) filter (where placed.status = 'yes')::integer as journeys_with_outcome,
    count(*) filter (where placed.status = 'not linked')::integer as journeys_unlinked
from placed
inner join {{ ref('int_journey_profiles') }} as profiles on placed.journey_id = profiles.journey_id
inner join {{ ref('int_journey_cuts') }} as cuts on placed.journey_id = cuts.journey_id
inner join {{ ref('int_person_certainties') }} as certainties on placed.person_id = certainties.person_id
left join {{ ref('accommodation_needs') }} as needs
    on profiles.accommodation_need_code = needs.accommodation_need_code
left join {{ ref('employment_statuses') }} as employment
    on profiles.employment_status_code = employment.employment_status_code
where
    placed.end_date between placed.period_start and placed.period_end
    and placed.status in ('yes', 'no', 'not linked')
    and (cuts.cut = 'adults' or certainties.certainty = 'balanced')
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
