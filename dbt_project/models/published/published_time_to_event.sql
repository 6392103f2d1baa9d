{{ config(indexes=[
    {'columns': ['event', 'cut', 'certainty', 'breakdown', 'category', 'month'], 'unique': true}
]) }}

-- Fewer than five people with the event are withheld, and percentages move in steps of five people, so that a curve
-- gives away no more than rounded counts would. Deaths are shown alone where five have died.
with stepped as (
    select
        *,
        month > 0 and {{ is_small('events') }} as is_suppressed,
        month > 0 and {{ is_small('died_first') }} as has_few_deaths,
        case
            when note is null
                then 100.0 * {{ var('round_to') }} / {{ published_count('journeys_linked', 'false') }}
        end as step
    from {{ ref('rpt_time_to_event') }}
)

select
    stepped.event,
    stepped.event_title,
    stepped.cut,
    stepped.certainty,
    stepped.breakdown,
    stepped.category,
    stepped.month,
    {{ published_count('stepped.journeys_all', is_small('stepped.journeys_all')) }} as journeys_all,
    {{ published_count('stepped.journeys_linked', is_small('stepped.journeys_linked')) }} as journeys_linked,
    {%- for column in ['percent', 'percent_lower_95', 'percent_upper_95'] %}
        case
            -- `least` would take the 100 for a share that is missing
            when not stepped.is_suppressed and stepped.{{ column }} is not null
                then least(round(stepped.{{ column }}::numeric / stepped.step) * stepped.step, 100)
        end::numeric(5, 1) as {{ column }},
    {%- endfor %}
    case
        when not stepped.has_few_deaths then round(stepped.percent_died_first::numeric / stepped.step) * stepped.step
    end::numeric(5, 1) as percent_died_first,
    stepped.median_months::numeric(5, 0) as median_months,
    stepped.log_rank_p::numeric(5, 3) as log_rank_p,
    stepped.month in (3, 6, 12, 24) as is_headline,
    stepped.is_suppressed,
    stepped.note,
    stale.stale_feeds
from stepped
cross join {{ ref('int_stale_feeds') }} as stale
