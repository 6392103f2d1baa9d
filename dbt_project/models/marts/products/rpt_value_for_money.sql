{{ config(indexes=[
    {
        'columns': [
            'certainty', 'cut', 'end_financial_year', 'area_level', 'area_code', 'breakdown', 'breakdown_value',
            'outcome'
        ],
        'unique': true
    }
]) }}

{#- What is summed of the journeys with which answers, and its name. -#}
{%- set linked, everyone = "'yes', 'no'", "'yes', 'no', 'not linked'" -%}
{%- set sums = [
    ('journeys', 'journeys_all', everyone),
    ('journeys', 'journeys_linked', linked),
    ('journeys', 'journeys_with_outcome', "'yes'"),
    ('mid', 'mid_all', everyone),
    ('low', 'low_linked', linked),
    ('mid', 'mid_linked', linked),
    ('high', 'high_linked', linked),
    ('mid_squares', 'mid_squares', linked),
    ('mid', 'mid_with_outcome', "'yes'"),
] -%}

with horizon as (
    select window_length as months
    from {{ ref('indicator_definitions') }}
    where indicator = 'off_drugs_off_benefit_in_work_12m'
),

ended as (
    select
        costs.journey_id,
        costs.person_id,
        costs.end_date,
        costs.pathway,
        costs.low_pounds,
        costs.mid_pounds,
        costs.high_pounds,
        journeys.drug_group,
        coalesce(journeys.area_code, 'unknown') as area_code,
        persons.is_linked_to_benefits,
        journeys.is_successful_completion,
        completion.status as completed,
        {{ add_months('costs.end_date', 'horizon.months') }} as asked_on,
        {{ covered_until(['treatment']) }} as treatment_covered_until,
        {{ covered_until(['treatment', 'benefits']) }} as benefits_covered_until,
        sustained.not_back_in_treatment,
        sustained.off_drugs_off_benefit_in_work
    from {{ ref('int_journey_costs') }} as costs
    inner join {{ ref('int_treatment_journeys') }} as journeys on costs.journey_id = journeys.journey_id
    inner join {{ ref('int_persons') }} as persons on costs.person_id = persons.person_id
    inner join {{ ref('int_outcomes_treatment') }} as completion
        on costs.journey_id = completion.journey_id and completion.indicator = 'successful_completion'
    cross join horizon
    cross join {{ ref('int_feed_coverage') }} as coverage
    left join {{ ref('int_outcomes_sustained') }} as sustained
        on costs.journey_id = sustained.journey_id and horizon.months = sustained.horizon_months
),

-- Recovery is asked of everyone the money was spent on. Whoever did not complete has not recovered, and has that answer
-- no sooner than those who did: else the failures of the last year would be counted without its successes.
answered as (
    select
        ended.*,
        case
            when
                ended.completed = 'not yet observable'
                or ended.asked_on - 1 > {{ or_open('ended.treatment_covered_until') }}
                then 'not yet observable'
            when ended.is_successful_completion then ended.not_back_in_treatment
            else 'no'
        end as stayed_out,
        case
            when
                ended.completed = 'not yet observable' or ended.benefits_covered_until is null
                or ended.asked_on > ended.benefits_covered_until
                then 'not yet observable'
            when ended.is_successful_completion then ended.off_drugs_off_benefit_in_work
            when not ended.is_linked_to_benefits then 'not linked'
            else 'no'
        end as recovered
    from ended
),

-- By what is known of the journeys, before each outcome is asked: there are few combinations of answers.
cells as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        cuts.cut,
        {{ financial_year_start('answered.end_date') }} as year_start,
        answered.area_code,
        answered.pathway,
        answered.drug_group,
        answered.completed,
        answered.stayed_out,
        answered.recovered,
        count(*) as journeys,
        sum(answered.low_pounds) as low,
        sum(answered.mid_pounds) as mid,
        sum(answered.high_pounds) as high,
        sum(answered.mid_pounds * answered.mid_pounds) as mid_squares
    from answered
    inner join {{ ref('int_person_standing') }} as standing on answered.person_id = standing.person_id
    inner join {{ ref('int_journey_cuts') }} as cuts on answered.journey_id = cuts.journey_id
    group by
        standing.is_strict, standing.is_balanced, standing.is_inclusive, cuts.cut, year_start, answered.area_code,
        answered.pathway, answered.drug_group, answered.completed, answered.stayed_out, answered.recovered
),

asked as (
    select
        cells.*,
        answer.outcome,
        answer.status
    from cells
    cross join
        lateral (
            values
            ('journey', case when cells.completed = 'not yet observable' then cells.completed else 'yes' end),
            ('successful_completion', cells.completed),
            ('not_back_in_treatment_12m', cells.stayed_out),
            ('off_drugs_off_benefit_in_work_12m', cells.recovered)
        ) as answer (outcome, status)
),

-- One journey that waits keeps its whole year back: those that can be seen already are not like the others.
years as (
    select
        outcome,
        year_start
    from asked
    group by outcome, year_start
    having not bool_or(status = 'not yet observable')
),

placed as (
    select
        each.certainty,
        asked.*,
        {{ country_code('areas.country') }} as country_code,
        coalesce(areas.region_code, 'unknown') as region_code
    from asked
    inner join years on asked.outcome = years.outcome and asked.year_start = years.year_start
    cross join {{ each_certainty('asked') }}
    left join {{ ref('dim_area') }} as areas on asked.area_code = areas.area_code
    where each.is_counted
),

rolled as (
    select
        certainty,
        cut,
        {{ financial_year('year_start') }} as end_financial_year,
        case
            when grouping(country_code) = 0 then 'country'
            when grouping(region_code) = 0 then 'region'
            else 'authority'
        end as area_level,
        coalesce(country_code, region_code, area_code) as area_code,
        case
            when grouping(pathway) = 0 then 'pathway'
            when grouping(drug_group) = 0 then 'drug group'
            else 'all'
        end as breakdown,
        coalesce(pathway, drug_group, 'all') as breakdown_value,
        outcome,
    {%- for column, name, statuses in sums %}
        coalesce(sum({{ column }}) filter (where status in ({{ statuses }})), 0) as {{ name }}
        {{- ',' if not loop.last }}
    {%- endfor %}
    from placed
    group by
        certainty, cut, year_start, outcome,
        grouping sets ((country_code), (region_code), (area_code)),
        grouping sets ((pathway), (drug_group), ())
)

select
    certainty,
    cut,
    end_financial_year,
    area_level,
    area_code,
    breakdown,
    breakdown_value,
    outcome,
    journeys_all::integer as journeys_all,
    journeys_linked::integer as journeys_linked,
    journeys_with_outcome::integer as journeys_with_outcome,
    (mid_linked / nullif(journeys_linked, 0))::numeric(14, 2) as mid_pounds_per_journey,
    (low_linked / nullif(journeys_with_outcome, 0))::numeric(14, 2) as low_pounds,
    (mid_linked / nullif(journeys_with_outcome, 0))::numeric(14, 2) as mid_pounds,
    (high_linked / nullif(journeys_with_outcome, 0))::numeric(14, 2) as high_pounds,
    {%- for side, bound in [('-', 'lower'), ('+', 'upper')] %}
        case
            when journeys_linked < {{ var('fewest_people_for_ratio') }} then null
            -- the cost of a journey is a mean: every journey is its own outcome
            when outcome = 'journey' then {{ mean_bound('mid_linked', 'mid_squares', 'journeys_linked', side) }}
            else
                {{ cost_per_event_bound(
                    'mid_linked', 'mid_squares', 'journeys_with_outcome', 'mid_with_outcome', 'journeys_linked', side
                ) }}
        end::numeric(14, 2) as mid_pounds_{{ bound }}_95,
    {%- endfor %}
    (mid_all / nullif(journeys_with_outcome, 0))::numeric(14, 2) as mid_pounds_linked_or_not
from rolled
where journeys_all > 0
order by certainty, cut, end_financial_year, area_level, area_code, breakdown, breakdown_value, outcome
