{{ config(indexes=[
    {'columns': ['scenario', 'area_code'], 'unique': true}
]) }}

-- Shared out from the published counts themselves, so that nobody's pounds give an exact count away.
select
    scenarios.position as scenario_position,
    shared.scenario,
    shared.scenario_title,
    shared.total_pounds,
    shared.financial_year,
    shared.area_code,
    shared.area_name,
    shared.in_treatment,
    shared.completions,
    (100.0 * shared.completions / nullif(shared.in_treatment, 0))::numeric(5, 1) as percent_completed,
    {{ wilson_bound('shared.completions', 'shared.in_treatment', '-') }} as percent_completed_lower_95,
    {{ wilson_bound('shared.completions', 'shared.in_treatment', '+') }} as percent_completed_upper_95,
    shared.by_need,
    shared.by_completions,
    shared.allocation,
    shared.allocation_lower_95,
    shared.allocation_upper_95,
    shared.difference,
    shared.note,
    stale.stale_feeds
from {{ ref('rpt_pooled_treatment_budget') }} as shared
inner join {{ ref('pooled_treatment_budget_scenarios') }} as scenarios on shared.scenario = scenarios.scenario
cross join {{ ref('int_stale_feeds') }} as stale
where shared.counts = 'published'
order by scenarios.position, shared.area_code
