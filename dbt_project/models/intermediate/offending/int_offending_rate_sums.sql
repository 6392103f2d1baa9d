{#- Headline groups of the Drug Data Warehouse studies beside their sub-categories. -#}
{%- set headline_groups = [
    'all', 'acquisitive', 'non-acquisitive', 'serious acquisitive', 'non-serious acquisitive', 'drug-related'
] -%}
{%- set exposures = ['persons', 'persons_not_linked', 'persons_compared', 't', 's', 'tt', 'st', 'ss'] -%}
{%- set events = ['persons_before', 'persons_after', 'b', 'a', 'bb', 'ab', 'aa', 'b_t', 'b_s', 'a_t', 'a_s'] -%}
-- The sums over people that the rates before and after, their ratio and its interval are made of.
with described as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        breakdowns.breakdown,
        coalesce(breakdowns.breakdown_value, 'not known') as breakdown_value,
        around.journey_id,
        around.is_compared,
        around.offended_after = 'not linked' or around.offended_before = 'not linked' as is_not_linked,
        around.days_at_risk_before / 365.25 as years_before,
        around.days_at_risk_after / 365.25 as years_after
    from {{ ref('int_offending_around_treatment') }} as around
    inner join {{ ref('int_person_standing') }} as standing on around.person_id = standing.person_id
    cross join
        lateral (
            values
            ('all', 'all'),
            ('drug_group', around.drug_group),
            ('exit_status', around.exit_status),
            ('sex', around.sex),
            ('age_band', around.age_band)
        ) as breakdowns (breakdown, breakdown_value)
    where
        around.offended_before not in ('not applicable', 'not yet observable')
        and around.offended_after != 'not yet observable'
),

exposed_together as (
    select
        is_strict,
        is_balanced,
        is_inclusive,
        breakdown,
        breakdown_value,
        count(*) as persons,
        count(*) filter (where is_not_linked) as persons_not_linked,
        count(*) filter (where is_compared) as persons_compared,
        sum(years_before) filter (where is_compared) as t,
        sum(years_after) filter (where is_compared) as s,
        sum(years_before * years_before) filter (where is_compared) as tt,
        sum(years_after * years_before) filter (where is_compared) as st,
        sum(years_after * years_after) filter (where is_compared) as ss
    from described
    group by is_strict, is_balanced, is_inclusive, breakdown, breakdown_value
),

exposed as (
    select
        each.certainty,
        exposed_together.breakdown,
        exposed_together.breakdown_value,
        {%- for sum in exposures %}
            sum(exposed_together.{{ sum }}) as {{ sum }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from exposed_together
    cross join {{ each_certainty('exposed_together', has_cuts=false) }}
    where each.is_counted
    group by each.certainty, exposed_together.breakdown, exposed_together.breakdown_value
),

offending as (
    select
        by_group.journey_id,
        measures.measure,
        offence_groups.offence_group,
        sum(measures.events_before) as events_before,
        sum(measures.events_after) as events_after
    from {{ ref('int_offending_around_by_group') }} as by_group
    cross join
        lateral (
            values
            ('proven offences', by_group.offences_before, by_group.offences_after),
            ('court convictions', by_group.convictions_before, by_group.convictions_after)
        ) as measures (measure, events_before, events_after)
    cross join
        lateral (
            values
            ('all', true),
            ('acquisitive', by_group.is_acquisitive),
            ('non-acquisitive', not by_group.is_acquisitive),
            ('serious acquisitive', by_group.is_serious_acquisitive),
            ('non-serious acquisitive', by_group.is_acquisitive and not by_group.is_serious_acquisitive),
            ('drug-related', by_group.is_drug_related),
            (by_group.offence_study_group, true)
        ) as offence_groups (offence_group, is_member)
    where offence_groups.is_member
    group by by_group.journey_id, measures.measure, offence_groups.offence_group
),

counted_together as (
    select
        described.is_strict,
        described.is_balanced,
        described.is_inclusive,
        described.breakdown,
        described.breakdown_value,
        offending.measure,
        offending.offence_group,
        count(*) filter (where offending.events_before > 0) as persons_before,
        count(*) filter (where offending.events_after > 0) as persons_after,
        sum(offending.events_before) as b,
        sum(offending.events_after) as a,
        sum(offending.events_before * offending.events_before) as bb,
        sum(offending.events_after * offending.events_before) as ab,
        sum(offending.events_after * offending.events_after) as aa,
        sum(offending.events_before * described.years_before) as b_t,
        sum(offending.events_before * described.years_after) as b_s,
        sum(offending.events_after * described.years_before) as a_t,
        sum(offending.events_after * described.years_after) as a_s
    from described
    inner join offending on described.journey_id = offending.journey_id
    where described.is_compared
    group by
        described.is_strict, described.is_balanced, described.is_inclusive, described.breakdown,
        described.breakdown_value, offending.measure, offending.offence_group
),

counted as (
    select
        each.certainty,
        counted_together.breakdown,
        counted_together.breakdown_value,
        counted_together.measure,
        counted_together.offence_group,
        {%- for sum in events %}
            sum(counted_together.{{ sum }}) as {{ sum }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from counted_together
    cross join {{ each_certainty('counted_together', has_cuts=false) }}
    where each.is_counted
    group by
        each.certainty, counted_together.breakdown, counted_together.breakdown_value, counted_together.measure,
        counted_together.offence_group
),

offence_groups as (
    select distinct offence_study_group as offence_group
    from {{ ref('offence_study_groups') }}
    {%- for group in headline_groups %}
        union all
        select '{{ group }}' as offence_group
    {%- endfor %}
),

-- A group in which nobody offended has its row too: its rate is 0, not missing.
cells as (
    select
        exposed.*,
        measures.measure,
        offence_groups.offence_group
    from exposed
    cross join (values ('proven offences'), ('court convictions')) as measures (measure)
    cross join offence_groups
)

select
    cells.*,
    {%- for column in events %}
        coalesce(counted.{{ column }}, 0) as {{ column }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
from cells
left join counted
    on
        cells.certainty = counted.certainty
        and cells.breakdown = counted.breakdown
        and cells.breakdown_value = counted.breakdown_value
        and cells.measure = counted.measure
        and cells.offence_group = counted.offence_group
