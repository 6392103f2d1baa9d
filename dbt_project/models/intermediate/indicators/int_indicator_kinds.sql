-- Units with one row and one day each add up over time; the others have to be looked at period by period.
with repeated as (
    select indicator
    from {{ ref('int_indicator_events') }}
    group by indicator, unit_key
    having count(*) > 1 or bool_or(counts_to is distinct from counts_from)
)

select
    definitions.indicator,
    definitions.indicator in (select repeated.indicator from repeated) as is_by_unit,
    periods.step_months,
    periods.first_month
from {{ ref('indicator_definitions') }} as definitions
inner join {{ ref('indicator_periods') }} as periods on definitions.period = periods.period
where definitions.measure is not null
