{{ config(indexes=[{'columns': ['pilot', 'indicator', 'certainty', 'period_start'], 'unique': true}]) }}

select
    periods.pilot,
    pilots.title as pilot_title,
    pilots.start_date,
    periods.indicator,
    definitions.title as indicator_title,
    definitions.measure,
    definitions.per,
    periods.certainty,
    periods.period_start,
    periods.period_end,
    periods.phase,
    periods.pilot_units,
    periods.pilot_units_with_event,
    periods.pilot_value::numeric(14, 4) as pilot_value,
    periods.other_units,
    periods.other_units_with_event,
    periods.other_value::numeric(14, 4) as other_value,
    periods.effect::numeric(14, 4) as effect,
    periods.lower_95::numeric(14, 4) as lower_95,
    periods.upper_95::numeric(14, 4) as upper_95
from {{ source('estimates', 'pilot_periods') }} as periods
inner join {{ ref('pilots') }} as pilots on periods.pilot = pilots.pilot
inner join {{ ref('indicator_definitions') }} as definitions on periods.indicator = definitions.indicator
order by periods.pilot, periods.indicator, periods.certainty, periods.period_start
