{{ config(indexes=[
    {
        'columns': [
            'certainty', 'cut', 'financial_year', 'area_level', 'area_code', 'population', 'measure', 'category'
        ],
        'unique': true
    }
]) }}

-- Financial years that lie whole within what is known: from the first end of a journey on, to where no later episode
-- can continue a journey that ended.
with begun as (
    select min(end_date) as first_end
    from {{ ref('int_treatment_journeys') }}
),

years as (
    select
        {{ financial_year('year.first') }} as financial_year,
        year.first::date as year_start,
        {{ financial_year_end('year.first') }} as year_end
    from begun
    cross join {{ ref('int_feed_coverage') }} as coverage
    cross join {{ ref('int_definitions') }} as definitions
    inner join {{ ref('indicator_periods') }} as kinds on kinds.period = 'financial year'
    cross join
        lateral generate_series(
            {{ financial_year_start('begun.first_end') }}, coverage.treatment_covered_until, interval '1 year'
        ) as year (first)
    where
        year.first >= begun.first_end
        and {{ financial_year_end('year.first') }} + definitions.continuous_treatment_days - 1
        <= coverage.treatment_covered_until
        and {{ financial_year_end('year.first') }} > {{ add_months(night(), '-12 * kinds.kept_years') }}
),

treated as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.start_date,
        journeys.end_date,
        coalesce(journeys.area_code, 'unknown') as area_code,
        journeys.drug_group,
        case
            when journeys.discharge_reason_group = 'died' then 'died' else journeys.discharge_outcome_group
        end as way_out,
        least({{ or_open('journeys.end_date') }}, {{ or_open('persons.death_date') }}) as in_treatment_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
),

-- A person is counted once in each population of a year, as the latest journey there has it.
people as (
    select distinct on (population.name, cuts.cut, years.financial_year, treated.person_id)
        population.name as population,
        cuts.cut,
        years.financial_year,
        treated.person_id,
        treated.journey_id,
        treated.area_code,
        treated.drug_group,
        treated.way_out,
        (least(treated.in_treatment_until, years.year_end) - treated.start_date) / 365.25 as years_in_treatment
    from treated
    inner join years
        on treated.start_date <= years.year_end and treated.in_treatment_until >= years.year_start
    inner join {{ ref('int_journey_cuts') }} as cuts on treated.journey_id = cuts.journey_id
    cross join
        lateral (
            values
            ('in treatment', true),
            ('new to treatment', treated.start_date >= years.year_start),
            ('left treatment', treated.end_date <= years.year_end)
        ) as population (name, is_in)
    where population.is_in
    order by
        population.name asc, cuts.cut asc, years.financial_year asc, treated.person_id asc, treated.start_date desc,
        treated.journey_id asc
),

profiles as (
    select
        profiles.journey_id,
        profiles.sex,
        profiles.age_band,
        routes.referral_route,
        profiles.drug_1_code,
        profiles.drug_2_code,
        profiles.drug_3_code,
        lower(injecting.label) as injecting,
        needs.has_housing_problem,
        employments.is_in_paid_work,
        profiles.has_dual_diagnosis,
        profiles.has_children_at_home,
        profiles.parental_status_code,
        profiles.has_been_treated_before,
        coalesce(profiles.injecting_status_code = 'C', false)::integer as is_injecting
    from {{ ref('int_journey_profiles') }} as profiles
    left join {{ ref('referral_routes') }} as routes on profiles.referral_source_code = routes.referral_source_code
    left join {{ ref('injecting_statuses') }} as injecting
        on profiles.injecting_status_code = injecting.injecting_status_code
    left join {{ ref('accommodation_needs') }} as needs
        on profiles.accommodation_need_code = needs.accommodation_need_code
    left join {{ ref('employment_statuses') }} as employments
        on profiles.employment_status_code = employments.employment_status_code
),

answers as (
    select
        people.population,
        people.cut,
        people.financial_year,
        people.person_id,
        people.area_code,
        answer.theme,
        answer.measure,
        coalesce(answer.category, 'not known') as category,
        case when answer.measure = 'mean years' then people.years_in_treatment end as years
    from people
    inner join profiles on people.journey_id = profiles.journey_id
    left join {{ ref('treatment_time_bands') }} as bands
        on
            people.years_in_treatment >= bands.from_years
            and (bands.below_years is null or people.years_in_treatment < bands.below_years)
    cross join
        lateral (
            values
            (people.population, 'numbers', 'people', 'all'),
            (people.population, 'numbers', 'drug group', people.drug_group),
            ('in treatment', 'numbers', 'sex', profiles.sex),
            ('in treatment', 'numbers', 'age band', profiles.age_band),
            ('in treatment', 'time in treatment', 'time band', bands.time_band),
            ('in treatment', 'time in treatment', 'mean years', 'all'),
            ('new to treatment', 'way in', 'referral route', profiles.referral_route),
            (
                'new to treatment', 'way in', 'treated before',
                case when profiles.has_been_treated_before then 'treated before' else 'first treatment' end
            ),
            ('new to treatment', 'complexity', 'injecting', profiles.injecting),
            (
                'new to treatment', 'complexity', 'housing',
                case profiles.has_housing_problem
                    when true then 'housing problem'
                    when false then 'no housing problem'
                end
            ),
            (
                'new to treatment', 'complexity', 'work',
                case profiles.is_in_paid_work when true then 'in paid work' when false then 'not in paid work' end
            ),
            (
                'new to treatment', 'complexity', 'mental health',
                case profiles.has_dual_diagnosis when true then 'treatment need' when false then 'no treatment need' end
            ),
            (
                'new to treatment', 'complexity', 'children',
                case
                    when profiles.has_children_at_home then 'children at home'
                    when profiles.parental_status_code in ('13', '14') then 'no children at home'
                end
            ),
            (
                'new to treatment', 'complexity', 'needs together',
                case
                profiles.is_injecting + coalesce(profiles.has_housing_problem, false)::integer
                + coalesce(not profiles.is_in_paid_work, false)::integer
                + coalesce(profiles.has_dual_diagnosis, false)::integer
                    when 0 then 'none' when 1 then 'one' when 2 then 'two' else 'three or four'
                end
            ),
            ('left treatment', 'way out', 'discharge', people.way_out)
        ) as answer (population, theme, measure, category)
    where people.population = answer.population

    union all

    -- Each substance and kind counts once for a person who names it, so these add up to more than everybody.
    select distinct
        people.population,
        people.cut,
        people.financial_year,
        people.person_id,
        people.area_code,
        'substances' as theme,
        named.measure,
        named.category,
        null::numeric as years
    from people
    inner join profiles on people.journey_id = profiles.journey_id
    inner join {{ ref('drugs') }} as drugs
        on
            drugs.drug_code in (profiles.drug_1_code, profiles.drug_2_code, profiles.drug_3_code)
            and drugs.drug_class != 'none'
    inner join {{ ref('substance_kinds') }} as kinds on drugs.drug_code = kinds.drug_code
    cross join
        lateral (
            values
            ('substance', drugs.label),
            ('kind of substance', kinds.substance_kind)
        ) as named (measure, category)
    where people.population = 'new to treatment'
),

-- Most people are the same at all three certainties: they are counted once, under the list of them.
cells as (
    select
        {{ certainties_of('standing') }} as certainties,
        answers.cut,
        answers.financial_year,
        answers.area_code,
        answers.population,
        answers.theme,
        answers.measure,
        answers.category,
        count(*) as people,
        sum(answers.years) as years,
        sum(answers.years ^ 2) as years_squares
    from answers
    inner join {{ ref('int_person_standing') }} as standing on answers.person_id = standing.person_id
    group by
        certainties, answers.cut, answers.financial_year, answers.area_code, answers.population, answers.theme,
        answers.measure, answers.category
),

placed as (
    select
        each.certainty,
        cells.*,
        case when areas.country = 'Wales' then 'W92000004' else 'E92000001' end as country_code,
        coalesce(areas.region_code, 'unknown') as region_code
    from cells
    cross join lateral unnest(string_to_array(cells.certainties, ';')) as each (certainty)
    left join {{ ref('dim_area') }} as areas on cells.area_code = areas.area_code
    where each.certainty = 'balanced' or cells.cut = 'adults'
),

rolled as (
    select
        certainty,
        cut,
        financial_year,
        case
            when grouping(country_code) = 0 then 'country'
            when grouping(region_code) = 0 then 'region'
            else 'authority'
        end as area_level,
        coalesce(country_code, region_code, area_code) as area_code,
        population,
        theme,
        measure,
        category,
        sum(people) as people,
        sum(years) as years,
        sum(years_squares) as years_squares
    from placed
    group by
        certainty, cut, financial_year, population, theme, measure, category,
        grouping sets ((country_code), (region_code), (area_code))
),

shared as (
    select
        *,
        max(people) filter (where measure = 'people') over (
            partition by certainty, cut, financial_year, area_level, area_code, population
        ) as people_in_population
    from rolled
)

select
    certainty,
    cut,
    financial_year,
    area_level,
    area_code,
    population,
    theme,
    measure,
    category,
    case measure when 'people' then 'people' when 'mean years' then 'years' else 'per cent' end as unit,
    people::integer as people,
    people_in_population::integer as people_in_population,
    case measure
        when 'people' then people
        when 'mean years' then years / people
        else 100.0 * people / people_in_population
    end::numeric(12, 2) as value,
{%- for side, bound in [('-', 'lower'), ('+', 'upper')] %}
    case measure
        when 'people' then null
        when 'mean years' then {{ mean_bound('years', 'years_squares', 'people', side) }}
        else 100 * {{ wilson_share_bound('people', 'people_in_population', side) }}
    end::numeric(12, 2) as {{ bound }}_95{{ ',' if not loop.last }}
{%- endfor %}
from shared
order by certainty, cut, financial_year, area_level, area_code, population, theme, measure, category
