-- Units with one row and one day each add up over time; the others have to be looked at period by period.
select
    definitions.indicator,
    definitions.indicator in (
        {%- for indicator in indicators_by_unit() %}
            '{{ indicator }}'{% if not loop.last %},{% endif %}
        {%- endfor %}
    ) as is_by_unit,
    periods.step_months,
    periods.first_month
from {{ ref('indicator_definitions') }} as definitions
inner join {{ ref('indicator_periods') }} as periods on definitions.period = periods.period
where definitions.measure is not null
