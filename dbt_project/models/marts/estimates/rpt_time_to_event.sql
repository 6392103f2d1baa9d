{{ config(indexes=[
    {'columns': ['event', 'cut', 'certainty', 'breakdown', 'category', 'month'], 'unique': true}
]) }}

select
    estimates.event,
    definitions.title as event_title,
    estimates.cut,
    estimates.certainty,
    estimates.breakdown,
    estimates.category,
    estimates.month,
    estimates.journeys_all,
    estimates.journeys_linked,
    estimates.at_risk,
    estimates.events,
    estimates.died_first,
    estimates.percent,
    estimates.percent_lower_95,
    estimates.percent_upper_95,
    estimates.percent_died_first,
    estimates.percent_if_nobody_died,
    estimates.median_months,
    estimates.log_rank_p,
    estimates.note
from {{ source('estimates', 'time_to_event') }} as estimates
inner join {{ ref('time_to_event_definitions') }} as definitions on estimates.event = definitions.event
