{{ config(indexes=[{'columns': ['cut', 'certainty', 'measure'], 'unique': true}]) }}

-- A figure rests on 60 people or more on each side. Shares are made of rounded counts; the other figures were made
-- before rounding and are whole numbers. Few people without an offence are as telling as few with one, and so are few
-- adults who are not of a cut of adults.
with decided as (
    select
        *,
        coalesce(
            {{ is_small('least(people_with_event_named, people_matched - people_with_event_named)') }}
            or {{ is_small('least(people_with_event_comparison, people_matched - people_with_event_comparison)') }},
            false
        ) as is_suppressed,
        cut in ('alcohol only', 'parents') and {{ is_small(
            "max(people_submitted) filter (where cut = 'adults') over (partition by certainty, measure) - people_submitted"
        ) }} as leaves_few_adults
    from {{ source('estimates', 'priority_offenders_matched') }}
),

rounded as (
    select
        *,
        {{ published_count(
            'people_submitted', is_small('people_submitted') ~ ' or coalesce(leaves_few_adults, false)'
        ) }} as submitted,
        {{ published_count('people_matched', is_small('people_matched')) }} as matched,
        {{ published_count('people_with_event_named', 'is_suppressed') }} as with_event,
        {{ published_count('people_with_event_comparison', 'is_suppressed') }} as comparison_with_event
    from decided
)

select
    rounded.cut,
    rounded.certainty,
    rounded.measure,
    rounded.unit,
    rounded.submitted as people_submitted,
    rounded.matched as people_matched,
    case
        when rounded.is_suppressed then null
        when rounded.measure = 'people who reoffended' then 100.0 * rounded.with_event / rounded.matched
        else rounded.named_value
    end::numeric(7, 0) as named_value,
    case
        when rounded.is_suppressed then null
        when rounded.measure = 'people who reoffended' then 100.0 * rounded.comparison_with_event / rounded.matched
        else rounded.comparison_value
    end::numeric(7, 0) as comparison_value,
    case when not rounded.is_suppressed then rounded.difference end::numeric(7, 0) as difference,
    case when not rounded.is_suppressed then rounded.difference_lower_95 end::numeric(7, 0) as difference_lower_95,
    case when not rounded.is_suppressed then rounded.difference_upper_95 end::numeric(7, 0) as difference_upper_95,
    case when not rounded.is_suppressed then rounded.conclusion end as conclusion,
    rounded.is_balanced,
    rounded.is_suppressed,
    rounded.note,
    nullif(rounded.warnings, '') as warnings,
    stale.stale_feeds
from rounded
cross join {{ ref('int_stale_feeds') }} as stale
order by rounded.cut, rounded.certainty, rounded.measure
