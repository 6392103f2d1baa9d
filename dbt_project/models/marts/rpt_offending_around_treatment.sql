{{ config(indexes=[
    {'columns': ['certainty', 'breakdown', 'breakdown_value', 'measure', 'offence_group'], 'unique': true}
]) }}

with rated as (
    select
        sums.*,
        sums.b / nullif(sums.t, 0) as rate_before,
        sums.a / nullif(sums.s, 0) as rate_after,
        {{ log_rate_ratio_variance('persons_compared') }} as log_ratio_variance,
        definitions.per::integer as per
    from {{ ref('int_offending_rate_sums') }} as sums
    inner join {{ ref('indicator_definitions') }} as definitions
        on definitions.indicator = 'offending_two_years_after_start'
),

compared as (
    select
        *,
        rate_after / nullif(rate_before, 0) as rate_ratio,
        -- rounding may take a variance of nothing just below it
        case
            when least(persons_before, persons_after) >= {{ var('fewest_people_for_ratio') }}
                then sqrt(greatest(log_ratio_variance, 0))
        end as log_ratio_error
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
    round(rate_ratio * exp(-{{ var('z_95') }} * log_ratio_error), 3) as rate_ratio_lower_95,
    round(rate_ratio * exp({{ var('z_95') }} * log_ratio_error), 3) as rate_ratio_upper_95
from compared
order by certainty, breakdown, breakdown_value, measure, offence_group
