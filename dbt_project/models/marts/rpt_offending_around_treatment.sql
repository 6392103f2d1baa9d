{{ config(indexes=[
    {'columns': ['certainty', 'breakdown', 'breakdown_value', 'measure', 'offence_group'], 'unique': true}
]) }}

with rated as (
    select
        sums.*,
        sums.b / nullif(sums.t, 0) as rate_before,
        sums.a / nullif(sums.s, 0) as rate_after,
        {{ log_rate_ratio_error('persons_compared', 'persons_before', 'persons_after') }} as log_ratio_error,
        definitions.per::integer as per
    from {{ ref('int_offending_rate_sums') }} as sums
    inner join {{ ref('indicator_definitions') }} as definitions
        on definitions.indicator = 'offending_two_years_after_start'
),

compared as (
    select
        *,
        rate_after / nullif(rate_before, 0) as rate_ratio
    from rated
)

select
    certainty,
    breakdown,
    breakdown_value,
    measure,
    offence_group,
    persons::integer as persons,
    persons_not_linked::integer as persons_not_linked,
    persons_compared::integer as persons_compared,
    round(t, 1) as years_at_risk_before,
    round(s, 1) as years_at_risk_after,
    persons_before::integer as offenders_before,
    persons_after::integer as offenders_after,
    round(100.0 * persons_before / nullif(persons_compared, 0), 1) as percent_offending_before,
    round(100.0 * persons_after / nullif(persons_compared, 0), 1) as percent_offending_after,
    b::integer as events_before,
    a::integer as events_after,
    round(per * rate_before, 2) as rate_before,
    round(per * rate_after, 2) as rate_after,
    round(rate_ratio, 3) as rate_ratio,
    {{ rate_ratio_bound('rate_ratio', 'log_ratio_error', '-') }} as rate_ratio_lower_95,
    {{ rate_ratio_bound('rate_ratio', 'log_ratio_error', '+') }} as rate_ratio_upper_95
from compared
order by certainty, breakdown, breakdown_value, measure, offence_group
