{{ config(materialized='incremental', indexes=[
    {'columns': ['person_id'], 'unique': true},
    {'columns': ['death_month']}
]) }}

select
    deaths.person_id,
    -- the month alone: a day of death is near enough to an identifier
    date_trunc('month', deaths.death_date)::date as death_month,
    deaths.reported_by = 'deaths' as is_registered,
    deaths.death_class,
    deaths.cause_class,
    deaths.is_drug_poisoning,
    deaths.is_drug_misuse,
    left(deaths.underlying_cause_code, 3) as underlying_cause,
    deaths.last_journey_id
from {{ ref('int_death_classes') }} as deaths
inner join {{ ref('int_persons') }} as persons on deaths.person_id = persons.person_id
where {{ to_build('deaths.person_id') }} and {{ balanced('deaths.person_id') }}
order by deaths.person_id
