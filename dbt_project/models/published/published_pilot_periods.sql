-- Both sides of a period are told or neither: with one of them, and the figures of all areas, the other follows.
with decided as (
    select
        *,
        {{ is_small('least(pilot_units_with_event, other_units_with_event)') }}
        or (
            measure = 'proportion'
            and {{ is_small('least(pilot_units - pilot_units_with_event, other_units - other_units_with_event)') }}
        ) as is_suppressed
    from {{ ref('rpt_pilot_periods') }}
    where certainty = 'balanced'
)

select
    decided.pilot,
    decided.pilot_title,
    decided.start_date,
    decided.indicator,
    decided.indicator_title,
    decided.measure,
    decided.per,
    decided.period_start,
    decided.period_end,
    decided.phase,
    {{ published_count('decided.pilot_units', 'decided.is_suppressed') }} as pilot_units,
    {{ published_count('decided.other_units', 'decided.is_suppressed') }} as other_units,
    {%- for side in ['pilot', 'other'] %}
        -- a share is made again of what is published
        case
            when decided.is_suppressed then null
            when decided.measure = 'proportion'
                then
                    decided.per::numeric * {{ published_count('decided.' ~ side ~ '_units_with_event', 'false') }}
                    / nullif({{ published_count('decided.' ~ side ~ '_units', 'false') }}, 0)
            else decided.{{ side }}_value
        end::numeric(12, 1) as {{ side }}_value,
    {%- endfor %}
    case when not decided.is_suppressed then decided.effect end::numeric(12, 1) as effect,
    case when not decided.is_suppressed then decided.lower_95 end::numeric(12, 1) as lower_95,
    case when not decided.is_suppressed then decided.upper_95 end::numeric(12, 1) as upper_95,
    decided.is_suppressed,
    stale.stale_feeds
from decided
cross join {{ ref('int_stale_feeds') }} as stale
order by decided.pilot, decided.indicator, decided.period_start
