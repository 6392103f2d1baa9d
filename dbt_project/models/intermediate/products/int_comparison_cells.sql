{%- set described = [
    'area_code', 'provider_code', 'drug_group', 'age', 'sex', 'treated_before', 'criminal_justice_referral',
    'housing_problem', 'in_paid_work', 'has_injected'
] -%}
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
        journeys.end_date
    from answered
    inner join {{ ref('comparison_outcomes') }} as outcomes on answered.outcome = outcomes.outcome
    inner join {{ ref('int_treatment_journeys') }} as journeys on answered.journey_id = journeys.journey_id
    where journeys.end_date is not null
),

ends as (
    select
        outcome,
        years,
        {{ last_day_told_of_all('status', 'end_date') }} as period_end
    from ended
    group by outcome, years
),

periods as (
    select
        outcome,
        ({{ add_months('period_end', '-12 * years') }} + 1)::date as period_start,
        period_end
    from ends
),

told as (
    select
        ended.*,
        periods.period_start,
        periods.period_end,
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive
    from ended
    inner join periods
        on ended.outcome = periods.outcome and ended.end_date between periods.period_start and periods.period_end
    inner join {{ ref('int_person_standing') }} as standing on ended.person_id = standing.person_id
    where ended.status in ('yes', 'no', 'not linked')
),

-- Who the people were, once for each journey.
described as (
    select
        journeys.journey_id,
        coalesce(journeys.area_code, 'unknown') as area_code,
        coalesce(journeys.provider_code, 'unknown') as provider_code,
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
            when profiles.injecting_status_code in ('P', 'C') then 'yes'
            when profiles.injecting_status_code = 'N' then 'no'
            else 'not known'
        end as has_injected
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_journey_profiles') }} as profiles on journeys.journey_id = profiles.journey_id
    left join {{ ref('accommodation_needs') }} as needs
        on profiles.accommodation_need_code = needs.accommodation_need_code
    left join {{ ref('employment_statuses') }} as employment
        on profiles.employment_status_code = employment.employment_status_code
),

counted as (
    select
        told.is_strict,
        told.is_balanced,
        told.is_inclusive,
        cuts.cut,
        told.outcome,
        told.period_start,
        told.period_end,
        {%- for column in described %}
            described.{{ column }},
        {%- endfor %}
        count(*) filter (where told.status in ('yes', 'no')) as journeys,
        count(*) filter (where told.status = 'yes') as journeys_with_outcome,
        count(*) filter (where told.status = 'not linked') as journeys_unlinked
    from told
    inner join described on told.journey_id = described.journey_id
    inner join {{ ref('int_journey_cuts') }} as cuts on told.journey_id = cuts.journey_id
    group by
        told.is_strict, told.is_balanced, told.is_inclusive, cuts.cut, told.outcome, told.period_start,
        told.period_end, described.{{ described | join(', described.') }}
)

select
    each.certainty,
    counted.cut,
    counted.outcome,
    counted.period_start,
    counted.period_end,
    counted.area_code,
    case when each.certainty = 'balanced' then counted.provider_code else 'all' end as provider_code,
    {%- for column in described[2:] %}
        counted.{{ column }},
    {%- endfor %}
    sum(counted.journeys)::integer as journeys,
    sum(counted.journeys_with_outcome)::integer as journeys_with_outcome,
    sum(counted.journeys_unlinked)::integer as journeys_unlinked
from counted
cross join {{ each_certainty('counted') }}
where each.is_counted
group by
    each.certainty, counted.cut, counted.outcome, counted.period_start, counted.period_end, counted.area_code,
    case when each.certainty = 'balanced' then counted.provider_code else 'all' end,
    counted.{{ described[2:] | join(', counted.') }}
