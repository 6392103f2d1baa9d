-- Effects are of whole sides; where a side had fewer than five people with the event in some period (for shares, or
-- without it) nothing is told.
with decided as (
    select
        *,
        coalesce({{ is_small('fewest_with_event') }}, false) as is_suppressed
    from {{ ref('rpt_pilots') }}
    where certainty = 'balanced'
)

select
    decided.pilot,
    decided.pilot_title,
    decided.start_date,
    decided.end_date,
    decided.indicator,
    decided.indicator_title,
    decided.polarity,
    decided.measure,
    decided.per,
    decided.pilot_areas,
    decided.other_areas,
    decided.areas_left_out,
    decided.periods_before,
    decided.periods_after,
    decided.first_period_start,
    decided.last_period_end,
    {%- for column in [
        'pilot_before', 'pilot_after', 'other_before', 'other_after',
        'effect', 'lower_95', 'upper_95', 'pre_trend', 'pre_trend_lower_95', 'pre_trend_upper_95'
    ] %}
        case when not decided.is_suppressed then decided.{{ column }} end::numeric(12, 1) as {{ column }},
    {%- endfor %}
    case when not decided.is_suppressed then decided.p end::numeric(5, 3) as p,
    case when not decided.is_suppressed then decided.p_placebo end::numeric(5, 3) as p_placebo,
    case when not decided.is_suppressed then decided.pre_trend_p end::numeric(5, 3) as pre_trend_p,
    case when not decided.is_suppressed then decided.reading end as reading,
    decided.warnings,
    decided.note,
    decided.is_suppressed,
    stale.stale_feeds
from decided
cross join {{ ref('int_stale_feeds') }} as stale
order by decided.pilot, decided.indicator
