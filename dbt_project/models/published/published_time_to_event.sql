{{ config(indexes=[
    {'columns': ['event', 'cut', 'certainty', 'breakdown', 'category', 'month'], 'unique': true}
]) }}

-- Fewer than five people with the event are withheld, and enough of the other groups that nobody works them out; so are
-- few deaths, and few journeys with all that is told of them. Percentages move in steps of five people, so that a curve
-- gives away no more than rounded counts would. Few without the event need no care: a curve ends before.
with figures as (
    select
        *,
        row_number() over (order by event, cut, certainty, breakdown, category, month) as figure_id
    from {{ ref('rpt_time_to_event') }}
),

measures as (
    select
        figures.event,
        figures.cut,
        figures.certainty,
        figures.breakdown,
        figures.category,
        measure.count,
        concat_ws('|', measure.name, figures.event, figures.certainty, figures.month) as block,
        4 * figures.figure_id + measure.number as cell_id
    from figures
    cross join
        lateral (
            values
            (0, 'journeys_all', figures.journeys_all, figures.month = 0),
            (1, 'journeys_linked', figures.journeys_linked, figures.month = 0),
            (2, 'events', figures.events, figures.month > 0),
            (3, 'died_first', figures.died_first, figures.month > 0)
        ) as measure (number, name, count, is_counted)
    where measure.is_counted
),

breakdowns as (
    select
        event,
        cut,
        certainty,
        breakdown,
        count(distinct category) as categories
    from figures
    where breakdown != 'all'
    group by event, cut, certainty, breakdown
),

-- What the groups that are shown leave of everybody: groups whose curve was refused or has ended, and people of none.
rests as (
    select
        wholes.block,
        wholes.cut,
        breakdowns.breakdown,
        wholes.count - coalesce(sum(parts.count), 0) as count
    from measures as wholes
    inner join breakdowns
        on
            wholes.event = breakdowns.event
            and wholes.cut = breakdowns.cut
            and wholes.certainty = breakdowns.certainty
    left join measures as parts
        on
            wholes.block = parts.block
            and wholes.cut = parts.cut
            and breakdowns.breakdown = parts.breakdown
    where wholes.breakdown = 'all'
    group by wholes.block, wholes.cut, breakdowns.breakdown, breakdowns.categories, wholes.count
    having count(parts.category) < breakdowns.categories or wholes.count > coalesce(sum(parts.count), 0)
),

cells as (
    select
        measures.cell_id,
        measures.block,
        measures.count,
        measures.breakdown = 'all' as is_total,
        {{ is_small('measures.count') }} as is_small,
        -- The groups of a breakdown add up to everybody of their cut; adults of a drug group may be a cut themselves.
        array(
            select concat_ws('|', measures.block, measures.cut, breakdowns.breakdown)
            from breakdowns
            where
                measures.event = breakdowns.event
                and measures.cut = breakdowns.cut
                and measures.certainty = breakdowns.certainty
                and measures.breakdown in ('all', breakdowns.breakdown)
        )
        || case
            when measures.cut = 'adults' and measures.breakdown = 'drug group'
                then concat_ws('|', measures.block, 'cut of adults', measures.category)
            when measures.breakdown = 'all'
                then concat_ws('|', measures.block, 'cut of adults', measures.cut)
        end as lines
    from measures

    union all

    -- A small rest counts as withheld; a large one needs no care.
    select
        -row_number() over (order by block, cut, breakdown) as cell_id,
        block,
        count,
        false as is_total,
        true as is_small,
        array[concat_ws('|', block, cut, breakdown)] as lines
    from rests
    where {{ is_small('count') }}
),

{{ decide_withheld('cells') }},

groups as (
    select
        figures.event,
        figures.cut,
        figures.certainty,
        figures.breakdown,
        figures.category,
        everybody.is_withheld as is_all_withheld,
        linked.is_withheld as is_linked_withheld
    from figures
    inner join decided_cells as everybody on 4 * figures.figure_id = everybody.cell_id
    inner join decided_cells as linked on 4 * figures.figure_id + 1 = linked.cell_id
    where figures.month = 0
),

stepped as (
    select
        figures.*,
        groups.is_all_withheld,
        groups.is_linked_withheld,
        figures.month > 0 and (groups.is_linked_withheld or events.is_withheld) as is_suppressed,
        figures.month > 0 and (groups.is_linked_withheld or deaths.is_withheld) as has_few_deaths,
        case
            when figures.note is null
                then 100.0 * {{ var('round_to') }} / {{ published_count('figures.journeys_linked', 'false') }}
        end as step
    from figures
    inner join groups
        on
            figures.event = groups.event
            and figures.cut = groups.cut
            and figures.certainty = groups.certainty
            and figures.breakdown = groups.breakdown
            and figures.category = groups.category
    left join decided_cells as events on 4 * figures.figure_id + 2 = events.cell_id
    left join decided_cells as deaths on 4 * figures.figure_id + 3 = deaths.cell_id
)

select
    stepped.event,
    stepped.event_title,
    stepped.cut,
    stepped.certainty,
    stepped.breakdown,
    stepped.category,
    stepped.month,
    {{ published_count('stepped.journeys_all', 'stepped.is_all_withheld') }} as journeys_all,
    {{ published_count('stepped.journeys_linked', 'stepped.is_linked_withheld') }} as journeys_linked,
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
    case when not stepped.is_linked_withheld then stepped.median_months end::numeric(5, 0) as median_months,
    stepped.log_rank_p::numeric(5, 3) as log_rank_p,
    stepped.month in (3, 6, 12, 24) as is_headline,
    stepped.is_suppressed,
    stepped.note,
    stale.stale_feeds
from stepped
cross join {{ ref('int_stale_feeds') }} as stale
