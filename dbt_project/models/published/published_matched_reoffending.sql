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

rounded as (
    select
        *,
        {{ published_count('people_starting', is_small('people_starting')) }} as starting,
        {{ published_count('people_linked_to_police', is_small('people_linked_to_police')) }} as linked,
        {{ published_count('people_submitted', is_small('people_submitted')) }} as submitted,
        {{ published_count('people_matched', is_small('people_matched')) }} as matched,
        {{ published_count('people_with_event_treated', 'is_suppressed') }} as with_event,
        {{ published_count('people_with_event_comparison', 'is_suppressed') }} as comparison_with_event
    from decided
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
