{{ config(indexes=[{'columns': ['pilot', 'indicator', 'certainty'], 'unique': true}]) }}

select
    effects.pilot,
    pilots.title as pilot_title,
    pilots.start_date,
    pilots.end_date,
    effects.indicator,
    definitions.title as indicator_title,
    definitions.polarity,
    definitions.measure,
    definitions.per,
    effects.certainty,
    effects.pilot_areas,
    effects.other_areas,
    effects.areas_left_out,
    effects.periods_before,
    effects.periods_after,
    effects.first_period_start,
    effects.last_period_end,
    effects.pilot_before::numeric(14, 4) as pilot_before,
    effects.pilot_after::numeric(14, 4) as pilot_after,
    effects.other_before::numeric(14, 4) as other_before,
    effects.other_after::numeric(14, 4) as other_after,
    effects.effect::numeric(14, 4) as effect,
    effects.lower_95::numeric(14, 4) as lower_95,
    effects.upper_95::numeric(14, 4) as upper_95,
    effects.p::numeric(7, 4) as p,
    effects.p_placebo::numeric(7, 4) as p_placebo,
    effects.pre_trend::numeric(14, 4) as pre_trend,
    effects.pre_trend_lower_95::numeric(14, 4) as pre_trend_lower_95,
    effects.pre_trend_upper_95::numeric(14, 4) as pre_trend_upper_95,
    effects.pre_trend_p::numeric(7, 4) as pre_trend_p,
    -- A difference is claimed when the interval and the placebo agree and the areas moved in step before.
    case
        when effects.effect is null then null
        when effects.pre_trend_p < 0.05 then 'not in step before: no conclusion'
        when effects.lower_95 <= 0 and effects.upper_95 >= 0 or effects.p_placebo > 0.05
            then 'does not show whether the pilot changed it'
        when definitions.polarity = 'neither' then case when effects.effect > 0 then 'rose' else 'fell' end
        when (effects.effect > 0) = (definitions.polarity = 'higher') then 'better in the pilot areas'
        else 'worse in the pilot areas'
    end as reading,
    effects.fewest_with_event,
    effects.warnings,
    effects.note
from {{ source('estimates', 'pilot_effects') }} as effects
inner join {{ ref('pilots') }} as pilots on effects.pilot = pilots.pilot
inner join {{ ref('indicator_definitions') }} as definitions on effects.indicator = definitions.indicator
order by effects.pilot, effects.indicator, effects.certainty
