-- Authorities add up to all of them, and so do providers; a count that is withheld must not follow from the others.
with units as (
    select
        *,
        row_number() over (order by cut, outcome, area_level, unit_code) as unit_id
    from {{ ref('rpt_comparison') }}
    where certainty = 'balanced'
),

cells as (
    select
        2 * units.unit_id + measure.number as cell_id,
        concat_ws('|', measure.name, units.cut, units.outcome) as block,
        measure.count,
        units.area_level = 'all' as is_total,
        measure.is_small,
        -- all of them are the total of both kinds of unit
        case
            when units.area_level = 'all'
                then array[
                    concat_ws('|', measure.name, units.cut, units.outcome, 'authority'),
                    concat_ws('|', measure.name, units.cut, units.outcome, 'provider')
                ]
            else array[concat_ws('|', measure.name, units.cut, units.outcome, units.area_level)]
        end as lines,
        units.unit_id,
        measure.name as measure
    from units
    cross join lateral (
        values
        (0, 'journeys', units.journeys, {{ is_small('units.journeys') }}),
        (
            1,
            'journeys_with_outcome',
            units.journeys_with_outcome,
            {{ is_telling('units.journeys_with_outcome', 'units.journeys') }}
        )
    ) as measure (number, name, count, is_small)
),

{{ decide_withheld('cells') }},

told as (
    {{ published_measures(['unit_id'], ['journeys', 'journeys_with_outcome']) }}
),

-- Rates of units whose counts are not told are not told either.
joined as (
    select
        units.*,
        told.journeys as journeys_told,
        told.journeys_with_outcome as with_outcome_told,
        told.journeys is null or told.journeys_with_outcome is null as is_suppressed
    from units
    inner join told on units.unit_id = told.unit_id
),

-- The figure of all, and of similar areas together, could give away what is withheld of one.
decided as (
    select
        *,
        bool_or(is_suppressed and area_level = 'all') over (partition by cut, outcome) as is_all_suppressed,
        bool_or(is_suppressed) over (partition by cut, outcome, area_level, similar_group) as is_group_suppressed
    from joined
)

select
    decided.cut,
    decided.outcome,
    decided.outcome_title,
    decided.polarity,
    decided.period_start,
    decided.period_end,
    decided.area_level,
    decided.unit_code,
    decided.unit_name,
    decided.region_name,
    decided.similar_group,
    decided.journeys_told as journeys,
    case when not decided.is_suppressed then decided.with_outcome_told end as journeys_with_outcome,
    {{ published_count('decided.journeys_unlinked', is_small('decided.journeys_unlinked')) }} as journeys_unlinked,
    case
        when not decided.is_suppressed
            then 100.0 * decided.with_outcome_told / nullif(decided.journeys_told, 0)
    end::numeric(5, 1) as percent,
    case when not decided.is_all_suppressed then decided.percent_overall end::numeric(5, 1) as percent_overall,
    {%- for column in [
        'adjusted_percent', 'adjusted_lower_95', 'adjusted_upper_95',
        'funnel_lower_95', 'funnel_upper_95', 'funnel_lower_998', 'funnel_upper_998',
        'shrunken_percent', 'shrunken_lower_95', 'shrunken_upper_95'
    ] %}
        case when not decided.is_suppressed then decided.{{ column }} end::numeric(6, 1) as {{ column }},
    {%- endfor %}
    case when not decided.is_group_suppressed then decided.similar_areas_adjusted_percent end::numeric(6, 1)
        as similar_areas_adjusted_percent,
    case when not decided.is_suppressed then decided.reading end as reading,
    decided.adjusted_for,
    decided.warnings,
    decided.note,
    decided.is_suppressed,
    stale.stale_feeds
from decided
cross join {{ ref('int_stale_feeds') }} as stale
order by decided.cut, decided.outcome, decided.area_level, decided.unit_code
