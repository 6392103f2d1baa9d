{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- The two windows of a person around the first journey, with the days at liberty in each.
with placed as (
    select
        journeys.person_id,
        journeys.journey_id,
        journeys.start_date,
        journeys.drug_group,
        coalesce(journeys.discharge_outcome_group, 'still in treatment') as exit_status,
        journeys.area_code,
        journeys.provider_code,
        persons.sex,
        {{ age_band('persons.birth_year', 'journeys.start_date') }} as age_band,
        persons.death_date,
        persons.is_linked_to_police,
        {{ windows_around('journeys.start_date', 'definitions.window_length', 'definitions.wait_months') }}
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    inner join {{ ref('indicator_definitions') }} as definitions
        on definitions.indicator = 'offending_two_years_after_start'
    where journeys.journey_number = 1 and {{ to_build('journeys.person_id') }}
),

bounded as (
    select
        *,
        greatest(least(after_before, {{ or_open('death_date') }}), start_date) as alive_before
    from placed
),

imprisoned as (
    {{ nights_in_custody_around('bounded', 'journey_id', 'start_date') }}
)

select
    bounded.*,
    coalesce(imprisoned.days_before, 0)::integer as days_in_custody_before,
    coalesce(imprisoned.days_after, 0)::integer as days_in_custody_after,
    (bounded.start_date - bounded.before_from - coalesce(imprisoned.days_before, 0))::integer as days_at_risk_before,
    (bounded.alive_before - bounded.start_date - coalesce(imprisoned.days_after, 0))::integer as days_at_risk_after
from bounded
left join imprisoned on bounded.journey_id = imprisoned.journey_id
