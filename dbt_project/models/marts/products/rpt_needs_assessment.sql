{{ config(indexes=[
    {
        'columns': [
            'certainty', 'cut', 'financial_year', 'area_level', 'area_code', 'population', 'measure', 'category'
        ],
        'unique': true
    }
]) }}

{#- What is asked of each population: column, theme and measure. Everybody is counted besides. -#}
{%- set questions = {
    'in treatment': [
        ('drug_group', 'numbers', 'drug group'),
        ('sex', 'numbers', 'sex'),
        ('age_band', 'numbers', 'age band'),
        ('time_band', 'time in treatment', 'time band'),
    ],
    'new to treatment': [
        ('drug_group', 'numbers', 'drug group'),
        ('referral_route', 'way in', 'referral route'),
        ('treated_before', 'way in', 'treated before'),
        ('injecting', 'complexity', 'injecting'),
        ('housing', 'complexity', 'housing'),
        ('work', 'complexity', 'work'),
        ('mental_health', 'complexity', 'mental health'),
        ('children', 'complexity', 'children'),
        ('needs_together', 'complexity', 'needs together'),
    ],
    'left treatment': [
        ('drug_group', 'numbers', 'drug group'),
        ('way_out', 'way out', 'discharge'),
    ],
} -%}
{%- set place = 'cut, year_start, area_code, is_strict, is_balanced, is_inclusive' -%}

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
        least({{ or_open('journeys.end_date') }}, {{ or_open('persons.death_date') }}) as in_treatment_until,
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    inner join {{ ref('int_person_standing') }} as standing on journeys.person_id = standing.person_id
),

-- A person is counted once in each population of a year, as the latest journey there has it. Whoever is new is so by
-- the latest journey of all. One sort of narrow rows tells all three.
ranked as (
    select
        cuts.cut,
        years.year_start,
        treated.journey_id,
        treated.is_strict,
        treated.is_balanced,
        treated.is_inclusive,
        least(treated.in_treatment_until, years.year_end) - treated.start_date as days,
        row_number() over latest_first = 1 as is_latest,
        treated.start_date >= years.year_start as is_new,
        treated.end_date <= years.year_end
        and count(*) filter (where treated.end_date <= years.year_end) over latest_first = 1 as is_latest_to_leave
    from treated
    inner join years
        on treated.start_date <= years.year_end and treated.in_treatment_until >= years.year_start
    inner join {{ ref('int_journey_cuts') }} as cuts
        on treated.journey_id = cuts.journey_id and (treated.is_balanced or cuts.cut = 'adults')
    window latest_first as (
        partition by treated.person_id, years.year_start, cuts.cut
        order by treated.start_date desc, treated.journey_id asc rows unbounded preceding
    )
),

profiles as (
    select
        journeys.journey_id,
        coalesce(journeys.area_code, 'unknown') as area_code,
        journeys.drug_group,
        case
            when journeys.discharge_reason_group = 'died' then 'died' else journeys.discharge_outcome_group
        end as way_out,
        profiles.sex,
        profiles.age_band,
        coalesce(profiles.drug_1_code, '') as drug_1_code,
        coalesce(profiles.drug_2_code, '') as drug_2_code,
        coalesce(profiles.drug_3_code, '') as drug_3_code,
        routes.referral_route,
        case when profiles.has_been_treated_before then 'treated before' else 'first treatment' end as treated_before,
        lower(injecting.label) as injecting,
        case needs.has_housing_problem
            when true then 'housing problem'
            when false then 'no housing problem'
        end as housing,
        case employments.is_in_paid_work when true then 'in paid work' when false then 'not in paid work' end as work,
        case profiles.has_dual_diagnosis when true then 'treatment need' when false then 'no treatment need' end
            as mental_health,
        case
            when profiles.has_children_at_home then 'children at home'
            when profiles.parental_status_code in ('13', '14') then 'no children at home'
        end as children,
        case
        coalesce(profiles.injecting_status_code = 'C', false)::integer
        + coalesce(needs.has_housing_problem, false)::integer
        + coalesce(not employments.is_in_paid_work, false)::integer
        + coalesce(profiles.has_dual_diagnosis, false)::integer
            when 0 then 'none' when 1 then 'one' when 2 then 'two' else 'three or four'
        end as needs_together
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_journey_profiles') }} as profiles on journeys.journey_id = profiles.journey_id
    left join {{ ref('referral_routes') }} as routes on profiles.referral_source_code = routes.referral_source_code
    left join {{ ref('injecting_statuses') }} as injecting
        on profiles.injecting_status_code = injecting.injecting_status_code
    left join {{ ref('accommodation_needs') }} as needs
        on profiles.accommodation_need_code = needs.accommodation_need_code
    left join {{ ref('employment_statuses') }} as employments
        on profiles.employment_status_code = employments.employment_status_code
),

bands as materialized (
    select
        time_band,
        ceil(from_years * 365.25)::integer as from_days,
        ceil(below_years * 365.25)::integer as below_days
    from {{ ref('treatment_time_bands') }}
),

in_treatment as (
    select
        ranked.*,
        profiles.area_code,
        profiles.drug_group,
        profiles.sex,
        profiles.age_band,
        bands.time_band
    from ranked
    inner join profiles on ranked.journey_id = profiles.journey_id
    left join bands
        on ranked.days >= bands.from_days and (bands.below_days is null or ranked.days < bands.below_days)
    where ranked.is_latest
),

new_to_treatment as (
    select
        profiles.*,
        ranked.cut,
        ranked.year_start,
        ranked.is_strict,
        ranked.is_balanced,
        ranked.is_inclusive,
        ranked.days
    from ranked
    inner join profiles on ranked.journey_id = profiles.journey_id
    where ranked.is_latest and ranked.is_new
),

left_treatment as (
    select
        ranked.*,
        profiles.area_code,
        profiles.drug_group,
        profiles.way_out
    from ranked
    inner join profiles on ranked.journey_id = profiles.journey_id
    where ranked.is_latest_to_leave
),

-- Every question is a way of grouping the same people.
answers as (
    {%- for population, asked in questions.items() %}
        {% if not loop.first %}
            union all
        {% endif %}
        select
            {{ place }},
            '{{ population }}' as population,
            case
                {%- for column, theme, measure in asked %}
                    when grouping({{ column }}) = 0 then '{{ theme }}'
                {%- endfor %}
                else 'numbers'
            end as theme,
            case
                {%- for column, theme, measure in asked %}
                    when grouping({{ column }}) = 0 then '{{ measure }}'
                {%- endfor %}
                else 'people'
            end as measure,
            case
                {%- for column, theme, measure in asked %}
                    when grouping({{ column }}) = 0 then coalesce({{ column }}, 'not known')
                {%- endfor %}
                else 'all'
            end as category,
            count(*) as people,
            sum(days) as days,
            sum(days::bigint * days) as days_squares
        from {{ population | replace(' ', '_') }}
        group by
            {{ place }},
            grouping sets (
                {%- for column, theme, measure in asked %}
                    ({{ column }}),
                {%- endfor %}
                ()
            )
    {%- endfor %}
),

-- Each substance and kind counts once for a person who names it, so these add up to more than everybody. There are few
-- combinations of three drugs: what they name is worked out once for each.
combinations as (
    select
        {{ place }},
        drug_1_code,
        drug_2_code,
        drug_3_code,
        count(*) as people
    from new_to_treatment
    group by {{ place }}, drug_1_code, drug_2_code, drug_3_code
),

taken as (
    select distinct
        drug_1_code,
        drug_2_code,
        drug_3_code
    from combinations
),

named as (
    select distinct
        taken.drug_1_code,
        taken.drug_2_code,
        taken.drug_3_code,
        named.measure,
        named.category
    from taken
    inner join {{ ref('drugs') }} as drugs
        on
            drugs.drug_code in (taken.drug_1_code, taken.drug_2_code, taken.drug_3_code)
            and drugs.drug_class != 'none'
    inner join {{ ref('substance_kinds') }} as kinds on drugs.drug_code = kinds.drug_code
    cross join
        lateral (
            values
            ('substance', drugs.label),
            ('kind of substance', kinds.substance_kind)
        ) as named (measure, category)
),

cells as (
    select * from answers

    union all

    select
        {{ place }},
        'new to treatment' as population,
        'substances' as theme,
        named.measure,
        coalesce(named.category, 'not known') as category,
        combinations.people,
        null as days,
        null as days_squares
    from combinations
    inner join named
        on
            combinations.drug_1_code = named.drug_1_code
            and combinations.drug_2_code = named.drug_2_code
            and combinations.drug_3_code = named.drug_3_code
),

placed as (
    select
        each.certainty,
        cells.*,
        {{ country_code('areas.country') }} as country_code,
        coalesce(areas.region_code, 'unknown') as region_code
    from cells
    cross join {{ each_certainty('cells') }}
    left join {{ ref('dim_area') }} as areas on cells.area_code = areas.area_code
    where each.is_counted
),

rolled as (
    select
        certainty,
        cut,
        year_start,
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
        sum(days) as days,
        sum(days_squares) as days_squares
    from placed
    group by
        certainty, cut, year_start, population, theme, measure, category,
        grouping sets ((country_code), (region_code), (area_code))
),

everybody as (
    select *
    from rolled
    where measure = 'people'
),

measured as (
    select * from rolled

    union all

    select
        certainty,
        cut,
        year_start,
        area_level,
        area_code,
        population,
        'time in treatment' as theme,
        'mean years' as measure,
        'all' as category,
        people,
        days,
        days_squares
    from everybody
    where population = 'in treatment'
),

shared as (
    select
        measured.*,
        years.financial_year,
        measured.days / 365.25 as years,
        measured.days_squares / 365.25 ^ 2 as years_squares,
        everybody.people as people_in_population
    from measured
    inner join years on measured.year_start = years.year_start
    inner join everybody
        on
            measured.certainty = everybody.certainty
            and measured.cut = everybody.cut
            and measured.year_start = everybody.year_start
            and measured.area_level = everybody.area_level
            and measured.area_code = everybody.area_code
            and measured.population = everybody.population
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
