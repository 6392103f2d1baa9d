-- In no month of published_time_to_event may one group alone be withheld beside everybody, whom the groups add up to;
-- nor everybody alone. Where the curve of another group has ended or was refused, that one is unknown as well.
with points as (
    select
        event,
        cut,
        certainty,
        month,
        breakdown,
        is_suppressed
    from {{ ref('published_time_to_event') }}
    where month > 0
),

breakdowns as (
    select
        event,
        cut,
        certainty,
        breakdown,
        count(*) as categories
    from {{ ref('published_time_to_event') }}
    where month = 0 and breakdown != 'all'
    group by event, cut, certainty, breakdown
)

select
    points.event,
    points.cut,
    points.certainty,
    points.month,
    breakdowns.breakdown
from points
inner join breakdowns
    on
        points.event = breakdowns.event
        and points.cut = breakdowns.cut
        and points.certainty = breakdowns.certainty
        and points.breakdown in ('all', breakdowns.breakdown)
group by
    points.event, points.cut, points.certainty, points.month, breakdowns.breakdown, breakdowns.categories
having count(*) = breakdowns.categories + 1 and count(*) filter (where points.is_suppressed) = 1
