{{ config(indexes=[
    {
        'columns': ['certainty', 'calendar_year', 'treatment_phase', 'cause', 'breakdown', 'breakdown_value'],
        'unique': true
    }
]) }}

with cells as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        exposure.calendar_year,
        exposure.treatment_phase,
        exposure.drug_group,
        exposure.sex,
        exposure.age_from,
        sum(exposure.person_days) as person_days,
        sum(exposure.deaths) as deaths,
        sum(exposure.drug_misuse_deaths) as drug_misuse_deaths
    from {{ ref('int_death_exposure') }} as exposure
    inner join {{ ref('int_person_standing') }} as standing on exposure.person_id = standing.person_id
    group by
        standing.is_strict, standing.is_balanced, standing.is_inclusive, exposure.calendar_year,
        exposure.treatment_phase, exposure.drug_group, exposure.sex, exposure.age_from
),

strata as (
    select
        each.certainty,
        cells.calendar_year,
        cells.treatment_phase,
        cells.drug_group,
        coalesce(cells.sex, 'not known') as sex,
        cells.age_from,
        sum(cells.person_days) / 365.25 as person_years,
        sum(cells.deaths) as deaths,
        sum(cells.drug_misuse_deaths) as drug_misuse_deaths
    from cells
    cross join {{ each_certainty('cells', has_cuts=false) }}
    where each.is_counted
    group by
        each.certainty, cells.calendar_year, cells.treatment_phase, cells.drug_group, cells.sex, cells.age_from
),

-- Every cell of the report has its own share of each age band.
bands as (
    select
        strata.certainty,
        strata.calendar_year,
        phase.treatment_phase,
        cause.cause,
        part.breakdown,
        part.breakdown_value,
        strata.age_from,
        sum(strata.person_years) as person_years,
        sum(cause.deaths) as deaths
    from strata
    left join {{ ref('standard_population') }} as ages on strata.age_from = ages.age_from
    cross join lateral (values ('all'), (strata.treatment_phase)) as phase (treatment_phase)
    cross join
        lateral (
            values ('all causes', strata.deaths), ('drug misuse', strata.drug_misuse_deaths)
        ) as cause (cause, deaths)
    cross join
        lateral (
            values
            ('all', 'all'),
            ('drug group', strata.drug_group),
            ('sex', strata.sex),
            ('age band', coalesce(ages.age_band, 'not known'))
        ) as part (breakdown, breakdown_value)
    group by
        strata.certainty, strata.calendar_year, phase.treatment_phase, cause.cause, part.breakdown,
        part.breakdown_value, strata.age_from
),

-- The standard's weight of a band counts where there was anyone of that age to die.
weighted as (
    select
        bands.*,
        case when bands.person_years > 0 then ages.standard_population end as weight
    from bands
    left join {{ ref('standard_population') }} as ages on bands.age_from = ages.age_from
),

measured as (
    select
        certainty,
        calendar_year,
        treatment_phase,
        cause,
        breakdown,
        breakdown_value,
        sum(deaths) as deaths,
        sum(deaths) filter (where weight is not null) as deaths_of_known_age,
        sum(person_years) as person_years,
        sum(weight * deaths / nullif(person_years, 0)) / sum(weight) as standardised_rate,
        sum(weight ^ 2 * deaths / nullif(person_years, 0) ^ 2) / sum(weight) ^ 2 as variance
    from weighted
    group by certainty, calendar_year, treatment_phase, cause, breakdown, breakdown_value
),

reported as (
    select
        measured.*,
        rules.per,
        -- one age band is its own standard
        measured.breakdown != 'age band' and measured.deaths_of_known_age >= rules.window_length as is_standardised
    from measured
    cross join {{ ref('indicator_definitions') }} as rules
    where rules.indicator = 'age_standardised_death_rate'
)

select
    reported.certainty,
    reported.calendar_year,
    reported.treatment_phase,
    reported.cause,
    reported.breakdown,
    reported.breakdown_value,
    reported.deaths::integer as deaths,
    reported.person_years::numeric(12, 1) as person_years,
    (reported.per * reported.deaths / nullif(reported.person_years, 0))::numeric(12, 2) as crude_rate,
    (reported.per * {{ poisson_bound('reported.deaths', '-') }} / nullif(reported.person_years, 0))::numeric(12, 2)
        as crude_rate_lower_95,
    (reported.per * {{ poisson_bound('reported.deaths', '+') }} / nullif(reported.person_years, 0))::numeric(12, 2)
        as crude_rate_upper_95,
    case when reported.is_standardised then (reported.per * reported.standardised_rate)::numeric(12, 2) end
        as standardised_rate,
    case
        when reported.is_standardised then (reported.per * ({{ dobson_bound(
            'reported.standardised_rate', 'reported.variance', 'reported.deaths_of_known_age', '-'
        ) }}))::numeric(12, 2)
    end as standardised_rate_lower_95,
    case
        when reported.is_standardised then (reported.per * ({{ dobson_bound(
            'reported.standardised_rate', 'reported.variance', 'reported.deaths_of_known_age', '+'
        ) }}))::numeric(12, 2)
    end as standardised_rate_upper_95,
    make_date(reported.calendar_year, 12, 31) <= {{ covered_until(['treatment', 'deaths']) }} as is_year_complete
from reported
cross join {{ ref('int_feed_coverage') }} as coverage
order by
    reported.certainty, reported.calendar_year, reported.treatment_phase, reported.cause, reported.breakdown,
    reported.breakdown_value
