{{ config(indexes=[{'columns': ['certainty', 'cut', 'breakdown', 'breakdown_value'], 'unique': true}]) }}

with measures as (
    select
        offending.*,
        measure.name as measure,
        measure.people as measured,
        concat_ws('|', offending.certainty, offending.cut, measure.name) as block,
        row_number() over (
            order by
                offending.certainty, offending.cut, offending.breakdown, offending.breakdown_value, measure.name
        ) as cell_id
    from {{ ref('rpt_priority_offending') }} as offending
    cross join
        lateral (
            values
            ('listed', offending.persons),
            ('compared', offending.persons_compared)
        ) as measure (name, people)
),

breakdowns as (
    select
        block,
        array_agg(distinct breakdown) as names
    from measures
    group by block
),

cells as (
    select
        measures.cell_id,
        measures.block,
        measures.measured as count,
        measures.breakdown = 'all' as is_total,
        {{ is_small('measures.measured') }} as is_small,
        -- the values of each breakdown add up to everybody
        array(
            select measures.block || '|' || names.name
            from unnest(breakdowns.names) as names (name)
            where measures.breakdown in ('all', names.name) and names.name != 'all'
        ) as lines
    from measures
    inner join breakdowns on measures.block = breakdowns.block
),

{{ decide_withheld('cells') }},

-- A cell that adds up with no other is in no line: it stands or falls by itself.
withheld as (
    select
        cells.cell_id,
        coalesce(decided_cells.is_withheld, cells.is_small) as is_withheld
    from cells
    left join decided_cells on cells.cell_id = decided_cells.cell_id
),

counted as (
    select
        measures.certainty,
        measures.cut,
        measures.breakdown,
        measures.breakdown_value,
        max({{ published_count('measures.measured', 'withheld.is_withheld') }})
        filter (where measures.measure = 'listed') as people,
        max({{ published_count('measures.measured', 'withheld.is_withheld') }})
        filter (where measures.measure = 'compared') as people_compared
    from measures
    inner join withheld on measures.cell_id = withheld.cell_id
    group by measures.certainty, measures.cut, measures.breakdown, measures.breakdown_value
),

rounded as (
    select
        offending.*,
        counted.people,
        counted.people_compared,
        {{ published_count(
            'offending.persons_not_linked', 'counted.people is null or ' ~ is_small('offending.persons_not_linked')
        ) }} as people_not_linked,
        {{ published_count(
            'offending.persons_not_yet_observable', 'counted.people is null or ' ~ is_small('offending.persons_not_yet_observable')
        ) }} as people_not_yet_observable,
        {{ published_count(
            'offending.persons_followed', 'counted.people_compared is null or ' ~ is_small('offending.persons_followed')
        ) }} as people_followed,
        {{ published_count(
            'offending.offenders_before', 'counted.people_compared is null or ' ~ is_small('offending.offenders_before')
        ) }} as offending_before,
        {{ published_count(
            'offending.offenders_after', 'counted.people_compared is null or ' ~ is_small('offending.offenders_after')
        ) }} as offending_after
    from {{ ref('rpt_priority_offending') }} as offending
    inner join counted
        on
            offending.certainty = counted.certainty
            and offending.cut = counted.cut
            and offending.breakdown = counted.breakdown
            and offending.breakdown_value = counted.breakdown_value
),

-- Rounding may take a part above its whole.
shares as (
    select
        *,
        least(offending_before, people_compared) as before_of_compared,
        least(offending_after, people_followed) as after_of_followed,
        offending_before is not null and offending_after is not null as is_rated
    from rounded
)

select
    shares.certainty,
    shares.cut,
    shares.breakdown,
    shares.breakdown_value,
    shares.people,
    shares.people_not_linked,
    shares.people_not_yet_observable,
    shares.people_compared,
    shares.before_of_compared as people_offending_before,
    shares.after_of_followed as people_offending_after,
    (100.0 * shares.before_of_compared / nullif(shares.people_compared, 0))::numeric(5, 1) as percent_before,
    {{ wilson_bound('shares.before_of_compared', 'shares.people_compared', '-') }} as percent_before_lower_95,
    {{ wilson_bound('shares.before_of_compared', 'shares.people_compared', '+') }} as percent_before_upper_95,
    (100.0 * shares.after_of_followed / nullif(shares.people_followed, 0))::numeric(5, 1) as percent_after,
    {{ wilson_bound('shares.after_of_followed', 'shares.people_followed', '-') }} as percent_after_lower_95,
    {{ wilson_bound('shares.after_of_followed', 'shares.people_followed', '+') }} as percent_after_upper_95,
    case when shares.is_rated then shares.rate_before end as rate_before,
    case when shares.is_rated then shares.rate_after end as rate_after,
    case when shares.is_rated then shares.rate_ratio end as rate_ratio,
    case when shares.is_rated then shares.rate_ratio_lower_95 end as rate_ratio_lower_95,
    case when shares.is_rated then shares.rate_ratio_upper_95 end as rate_ratio_upper_95,
    shares.people is null or shares.people_compared is null as is_suppressed,
    stale.stale_feeds
from shares
cross join {{ ref('int_stale_feeds') }} as stale
order by shares.certainty, shares.cut, shares.breakdown, shares.breakdown_value
