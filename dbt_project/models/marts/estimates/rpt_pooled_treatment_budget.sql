{{ config(indexes=[{'columns': ['counts', 'certainty', 'scenario', 'area_code'], 'unique': true}]) }}

select
    estimates.counts,
    estimates.certainty,
    estimates.scenario,
    scenarios.title as scenario_title,
    scenarios.total_pounds,
    scenarios.reward_share::numeric(5, 4) as reward_share,
    estimates.financial_year,
    estimates.area_code,
    coalesce(areas.area_name, 'Areas with few completions') as area_name,
    estimates.population,
    estimates.in_treatment,
    estimates.completions,
    estimates.in_effective_treatment,
    estimates.completions_supposed,
    estimates.by_need,
    estimates.by_completions,
    estimates.allocation,
    estimates.allocation_lower_95,
    estimates.allocation_upper_95,
    estimates.allocation_first_scenario,
    estimates.difference,
    estimates.note
from {{ source('estimates', 'pooled_treatment_budget') }} as estimates
inner join {{ ref('pooled_treatment_budget_scenarios') }} as scenarios on estimates.scenario = scenarios.scenario
left join {{ ref('dim_area') }} as areas on estimates.area_code = areas.area_code
order by estimates.counts, estimates.certainty, scenarios.position, estimates.area_code
