{{ config(indexes=[
    {
        'columns': [
            'certainty', 'cut', 'end_financial_year', 'area_level', 'area_code', 'breakdown', 'breakdown_value',
            'outcome'
        ],
        'unique': true
    }
]) }}

{%- set sums = [
    'journeys_all', 'journeys_linked', 'journeys_with_outcome', 'low_all', 'mid_all', 'high_all', 'low_linked',
    'mid_linked', 'high_linked', 'mid_squares', 'mid_with_outcome'
] %}

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

asked as (
    select
        {{ certainties_of('standing') }} as certainties,
        cuts.cut,
        {{ financial_year('answered.end_date') }} as end_financial_year,
        {{ financial_year_end('answered.end_date') }} as financial_year_end,
        answered.area_code,
        answered.pathway,
        answered.drug_group,
        answered.low_pounds,
        answered.mid_pounds,
        answered.high_pounds,
        answer.outcome,
        answer.status
    from answered
    inner join {{ ref('int_person_standing') }} as standing on answered.person_id = standing.person_id
    inner join {{ ref('int_journey_cuts') }} as cuts on answered.journey_id = cuts.journey_id
    cross join
        lateral (
            values
            ('journey', case when answered.completed = 'not yet observable' then answered.completed else 'yes' end),
            ('successful_completion', answered.completed),
            ('not_back_in_treatment_12m', answered.stayed_out),
            ('off_drugs_off_benefit_in_work_12m', answered.recovered)
        ) as answer (outcome, status)
),

cells as (
    select
        certainties,
        cut,
        end_financial_year,
        area_code,
        pathway,
        drug_group,
        outcome,
        bool_or(status = 'not yet observable') as is_waiting,
        count(*) filter (where status in ('yes', 'no', 'not linked')) as journeys_all,
        count(*) filter (where status in ('yes', 'no')) as journeys_linked,
        count(*) filter (where status = 'yes') as journeys_with_outcome,
        coalesce(sum(low_pounds) filter (where status in ('yes', 'no', 'not linked')), 0) as low_all,
        coalesce(sum(mid_pounds) filter (where status in ('yes', 'no', 'not linked')), 0) as mid_all,
        coalesce(sum(high_pounds) filter (where status in ('yes', 'no', 'not linked')), 0) as high_all,
        coalesce(sum(low_pounds) filter (where status in ('yes', 'no')), 0) as low_linked,
        coalesce(sum(mid_pounds) filter (where status in ('yes', 'no')), 0) as mid_linked,
        coalesce(sum(high_pounds) filter (where status in ('yes', 'no')), 0) as high_linked,
        coalesce(sum(mid_pounds ^ 2) filter (where status in ('yes', 'no')), 0) as mid_squares,
        coalesce(sum(mid_pounds) filter (where status = 'yes'), 0) as mid_with_outcome
    from asked
    group by certainties, cut, end_financial_year, area_code, pathway, drug_group, outcome
),

-- One journey that waits keeps its whole year back: those that can be seen already are not like the others.
years as (
    select
        outcome,
        end_financial_year
    from cells
    group by outcome, end_financial_year
    having not bool_or(is_waiting)
),

summed as (
    select
        each.certainty,
        cells.cut,
        cells.end_financial_year,
        case when areas.country = 'Wales' then 'W92000004' else 'E92000001' end as country_code,
        coalesce(areas.region_code, 'unknown') as region_code,
        cells.area_code,
        cells.pathway,
        cells.drug_group,
        cells.outcome,
    {%- for name in sums %}
        cells.{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
    from cells
    inner join years on cells.outcome = years.outcome and cells.end_financial_year = years.end_financial_year
    cross join lateral unnest(string_to_array(cells.certainties, ';')) as each (certainty)
    left join {{ ref('dim_area') }} as areas on cells.area_code = areas.area_code
    where each.certainty = 'balanced' or cells.cut = 'adults'
),

rolled as (
    select
        certainty,
        cut,
        end_financial_year,
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
    {%- for name in sums %}
        sum({{ name }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
    from summed
    group by
        certainty, cut, end_financial_year, outcome,
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
