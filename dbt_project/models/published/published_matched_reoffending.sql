{{ config(indexes=[{'columns': ['exposure', 'cohort', 'cut', 'certainty', 'measure'], 'unique': true}]) }}

-- A figure is withheld where those with an offence, or those without, are few on either side. Shares are computed from
-- rounded counts; differences and their limits were made before rounding and are whole numbers.
with decided as (
    select
        *,
        coalesce(
            {{ is_small('least(people_with_event_treated, people_matched - people_with_event_treated)') }}
            or {{ is_small('least(people_with_event_comparison, people_matched - people_with_event_comparison)') }},
            false
        ) as is_suppressed
    from {{ ref('rpt_matched_reoffending') }}
),

counts as (
    select distinct
        decided.exposure,
        decided.cut,
        decided.certainty,
        told.name,
        told.cohort,
        told.count,
        concat_ws('|', decided.exposure, decided.cut, decided.certainty, told.name, told.cohort) as cell_id
    from decided
    cross join
        lateral (
            values
            ('starting', 'all', decided.people_starting),
            ('linked', 'all', decided.people_linked_to_police),
            ('submitted', decided.cohort, decided.people_submitted)
        ) as told (name, cohort, count)
    where told.count is not null
),

-- People who are some of others: where few of the others are left, both counts would tell how many. Those matched are
-- paired anew in every question, so their figures do not subtract.
nested as (
    select
        wholes.cell_id as whole_id,
        parts.cell_id as part_id,
        concat_ws(' less ', wholes.cell_id, parts.cell_id) as rest_id,
        wholes.count - parts.count as rest
    from counts as wholes
    inner join counts as parts
        on
            wholes.exposure = parts.exposure
            and wholes.certainty = parts.certainty
            and (
                (
                    wholes.cut = parts.cut
                    and (
                        (wholes.name = 'starting' and parts.name = 'linked')
                        or (wholes.name = 'linked' and parts.cohort = 'known to police')
                        or (wholes.cohort = 'known to police' and parts.cohort not in ('all', wholes.cohort))
                    )
                )
                or (
                    wholes.name = parts.name
                    and wholes.cohort = parts.cohort
                    and wholes.cut = 'adults'
                    and parts.cut in ('alcohol only', 'parents')
                )
            )
    where {{ is_small('wholes.count - parts.count') }}
),

cells as (
    select
        counts.cell_id,
        concat_ws('|', counts.exposure, counts.certainty) as block,
        counts.count,
        counts.cut = 'adults' and counts.name = 'starting' as is_total,
        {{ is_small('counts.count') }} as is_small,
        array(
            select nested.rest_id
            from nested
            where counts.cell_id in (nested.whole_id, nested.part_id)
        ) as lines
    from counts

    union all

    select
        nested.rest_id as cell_id,
        concat_ws('|', counts.exposure, counts.certainty) as block,
        nested.rest as count,
        false as is_total,
        true as is_small,
        array[nested.rest_id] as lines
    from nested
    inner join counts on nested.whole_id = counts.cell_id
),

{{ decide_withheld('cells') }},

-- A count that nothing can be taken from stands or falls by itself.
withheld as (
    select
        cells.cell_id,
        coalesce(decided_cells.is_withheld, cells.is_small) as is_withheld
    from cells
    left join decided_cells on cells.cell_id = decided_cells.cell_id
),

rounded as (
    select
        decided.*,
        {{ published_count('decided.people_starting', 'starting.is_withheld') }} as starting,
        {{ published_count('decided.people_linked_to_police', 'linked.is_withheld') }} as linked,
        {{ published_count('decided.people_submitted', 'submitted.is_withheld') }} as submitted,
        {{ published_count('decided.people_matched', is_small('decided.people_matched')) }} as matched,
        {{ published_count('decided.people_with_event_treated', 'decided.is_suppressed') }} as with_event,
        {{ published_count('decided.people_with_event_comparison', 'decided.is_suppressed') }} as comparison_with_event
    from decided
    left join withheld as starting
        on
            concat_ws('|', decided.exposure, decided.cut, decided.certainty, 'starting', 'all')
            = starting.cell_id
    left join withheld as linked
        on concat_ws('|', decided.exposure, decided.cut, decided.certainty, 'linked', 'all') = linked.cell_id
    left join withheld as submitted
        on
            concat_ws('|', decided.exposure, decided.cut, decided.certainty, 'submitted', decided.cohort)
            = submitted.cell_id
)

select
    rounded.exposure,
    rounded.cohort,
    rounded.cohort_title,
    rounded.cut,
    rounded.certainty,
    rounded.measure,
    rounded.unit,
    rounded.starting as people_starting,
    rounded.linked as people_linked_to_police,
    rounded.submitted as people_submitted,
    rounded.matched as people_matched,
    case
        when rounded.is_suppressed then null
        when rounded.measure = 'people who reoffended' then 100.0 * rounded.with_event / rounded.matched
        else rounded.treated_value
    end::numeric(7, 0) as treated_value,
    case
        when rounded.is_suppressed then null
        when rounded.measure = 'people who reoffended' then 100.0 * rounded.comparison_with_event / rounded.matched
        else rounded.comparison_value
    end::numeric(7, 0) as comparison_value,
    case when not rounded.is_suppressed then rounded.difference end::numeric(7, 0) as difference,
    case when not rounded.is_suppressed then rounded.difference_lower_95 end::numeric(7, 0) as difference_lower_95,
    case when not rounded.is_suppressed then rounded.difference_upper_95 end::numeric(7, 0) as difference_upper_95,
    case when not rounded.is_suppressed then rounded.conclusion end as conclusion,
    case when not rounded.is_suppressed then rounded.comparison_before_matching end::numeric(7, 0)
        as comparison_before_matching,
    rounded.comparison_treated_later_percent::numeric(5, 0) as comparison_treated_later_percent,
    rounded.is_balanced,
    rounded.is_suppressed,
    rounded.note,
    rounded.warnings,
    stale.stale_feeds
from rounded
cross join {{ ref('int_stale_feeds') }} as stale
