-- Time at risk ends with what the register of deaths and treatment are known for: later deaths would lack company.
with exposed as (
    select
        exposure.person_id,
        exposure.treatment_phase,
        exposure.drug_group,
        exposure.area_code,
        exposure.provider_code,
        exposure.start_date,
        least(exposure.end_date, {{ covered_until(['treatment', 'deaths']) }}) as end_date
    from {{ ref('int_treatment_exposure') }} as exposure
    cross join {{ ref('int_feed_coverage') }} as coverage
    where exposure.start_date <= {{ covered_until(['treatment', 'deaths']) }}
),

by_year as (
    select
        exposed.person_id,
        exposed.treatment_phase,
        exposed.drug_group,
        exposed.area_code,
        exposed.provider_code,
        extract(year from year.first)::integer as calendar_year,
        greatest(exposed.start_date, year.first::date) as counts_from,
        least(exposed.end_date, (year.first + interval '1 year')::date - 1) as counts_to
    from exposed
    cross join lateral generate_series(
        date_trunc('year', exposed.start_date), exposed.end_date, interval '1 year'
    ) as year (first)
),

deaths as (
    select
        classes.person_id,
        classes.death_date,
        classes.death_class as treatment_phase,
        classes.is_drug_misuse,
        journeys.drug_group,
        journeys.area_code,
        journeys.provider_code
    from {{ ref('int_death_classes') }} as classes
    inner join {{ ref('int_treatment_journeys') }} as journeys on classes.last_journey_id = journeys.journey_id
    cross join {{ ref('int_feed_coverage') }} as coverage
    where classes.death_date <= {{ covered_until(['treatment', 'deaths']) }}
),

counted as (
    select
        person_id,
        treatment_phase,
        drug_group,
        area_code,
        provider_code,
        calendar_year,
        counts_from,
        counts_to,
        -- the day of death is a day lived
        counts_to - counts_from + 1 as person_days,
        0 as deaths,
        0 as drug_misuse_deaths
    from by_year

    union all

    select
        person_id,
        treatment_phase,
        drug_group,
        area_code,
        provider_code,
        extract(year from death_date)::integer as calendar_year,
        death_date as counts_from,
        death_date as counts_to,
        0 as person_days,
        1 as deaths,
        is_drug_misuse::integer as drug_misuse_deaths
    from deaths
)

select
    counted.person_id,
    counted.treatment_phase,
    counted.calendar_year,
    counted.counts_from,
    counted.counts_to,
    counted.drug_group,
    counted.area_code,
    counted.provider_code,
    persons.sex,
    -- By the year of birth alone: the age reached in the year.
    bands.age_from,
    counted.person_days,
    counted.deaths,
    counted.drug_misuse_deaths
from counted
inner join {{ ref('int_persons') }} as persons on counted.person_id = persons.person_id
left join {{ ref('standard_population') }} as bands
    on bands.age_from = least((counted.calendar_year - persons.birth_year) / 5 * 5, 90)
