-- The sexes add up to all: they are told together or not at all.
with counted as (
    select
        *,
        {{ is_telling('journeys_with_outcome', 'journeys') }} as is_small
    from {{ ref('rpt_linkage_error') }}
),

decided as (
    select
        *,
        is_small
        or (
            breakdown != 'all' and bool_or(is_small) over (partition by certainty, cut, outcome, breakdown)
        ) as is_suppressed
    from counted
),

rounded as (
    select
        *,
        {{ published_count('journeys', 'is_suppressed') }} as journeys_told,
        {{ published_count('journeys_unlinked', 'is_suppressed or ' ~ is_small('journeys_unlinked')) }}
            as unlinked_told,
        {{ published_count('journeys_with_outcome', 'is_suppressed') }} as with_outcome_told,
        {{ published_count('(journeys + journeys_unlinked)', 'is_suppressed') }} as all_told
    from decided
),

-- Naive shares are made of rounded counts; the other certainties stand beside the balanced one.
made as (
    select
        *,
        (100.0 * with_outcome_told / nullif(journeys_told, 0))::numeric(6, 1) as linked_told,
        (100.0 * with_outcome_told / nullif(all_told, 0))::numeric(6, 1) as naive_told
    from rounded
),

others as (
    select
        cut,
        outcome,
        breakdown,
        breakdown_value,
        max(naive_told) filter (where certainty = 'strict') as naive_percent_strict,
        max(naive_told) filter (where certainty = 'inclusive') as naive_percent_inclusive
    from made
    group by cut, outcome, breakdown, breakdown_value
)

select
    made.cut,
    made.outcome,
    made.outcome_title,
    made.period_start,
    made.period_end,
    made.breakdown,
    made.breakdown_value,
    made.basis,
    made.is_preferred,
    made.journeys_told as journeys,
    made.unlinked_told as journeys_unlinked,
    made.with_outcome_told as journeys_with_outcome,
    made.linked_told as linked_percent,
    made.naive_told as naive_percent,
    others.naive_percent_strict,
    others.naive_percent_inclusive,
    made.link_precision::numeric(6, 1) as link_precision,
    made.link_recall::numeric(6, 1) as link_recall,
    -- put right by the same factor, so that rounding counts does not look like an error of linkage
    {%- for column in ['adjusted_percent', 'adjusted_lower_95', 'adjusted_upper_95'] %}
        (made.naive_told * made.{{ column }} / nullif(made.naive_percent, 0))::numeric(6, 1) as {{ column }},
    {%- endfor %}
    made.note,
    made.is_suppressed,
    stale.stale_feeds
from made
inner join others
    on
        made.cut = others.cut
        and made.outcome = others.outcome
        and made.breakdown = others.breakdown
        and made.breakdown_value = others.breakdown_value
cross join {{ ref('int_stale_feeds') }} as stale
where made.certainty = 'balanced'
order by made.cut, made.outcome, made.breakdown, made.breakdown_value, made.basis
