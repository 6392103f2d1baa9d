-- The rates before and after treatment are made of the rows analysts see: events and time at risk of the report at the
-- balanced certainty are the sums over people, whatever people or offences are divided by.
with people as (
    select
        count(*) as persons_compared,
        coalesce(sum(offences_before), 0) as events_before,
        coalesce(sum(offences_after), 0) as events_after
    from {{ ref('outcome_offending_around_treatment') }}
    where is_compared
),

sums as (
    select
        breakdown,
        breakdown_value,
        case
            when offence_group = 'all' then 'all'
            when offence_group in ('acquisitive', 'non-acquisitive') then 'headline groups'
            else 'sub-categories'
        end as offence_groups,
        max(persons_compared) as persons_compared,
        sum(events_before) as events_before,
        sum(events_after) as events_after
    from {{ ref('rpt_offending_around_treatment') }}
    where
        certainty = 'balanced'
        and measure = 'proven offences'
        -- these lie within others
        and offence_group not in ('serious acquisitive', 'non-serious acquisitive', 'drug-related')
    group by breakdown, breakdown_value, offence_groups
),

reported as (
    select
        breakdown,
        offence_groups,
        sum(persons_compared) as persons_compared,
        sum(events_before) as events_before,
        sum(events_after) as events_after
    from sums
    group by breakdown, offence_groups
)

select
    reported.breakdown,
    reported.offence_groups
from reported
cross join people
where
    (reported.persons_compared, reported.events_before, reported.events_after)
    != (people.persons_compared, people.events_before, people.events_after)
