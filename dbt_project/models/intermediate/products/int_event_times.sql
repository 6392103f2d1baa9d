{{ config(materialized='view') }}

-- How long after a journey starts or ends something happened, or is known not to have happened. Deaths compete, so
-- nobody is followed beyond what is known of deaths; a warehouse that never had their register goes by what the other
-- agencies know.
with reach as (
    select
        police.known_from as police_known_from,
        least({{ covered_until(['treatment']) }}, coverage.deaths_covered_until) as treatment_until,
        least({{ covered_until(['treatment', 'benefits']) }}, coverage.deaths_covered_until) as benefits_until,
        least(
            {{ covered_until(['treatment', 'police']) }}, coverage.deaths_covered_until,
            {{ add_months('coverage.police_covered_until', '-reoffence.wait_months') }}
        ) as police_until
    from {{ ref('int_feed_coverage') }} as coverage
    cross join {{ ref('int_police_reach') }} as police
    inner join {{ ref('indicator_definitions') }} as reoffence on reoffence.indicator = 'proven_reoffence_12m'
    -- least() passes over what is missing: without these feeds nothing can be timed
    where
        coverage.treatment_covered_until is not null
        and coverage.police_covered_until is not null
        and coverage.benefits_covered_until is not null
),

followed as (
    select
        dates.*,
        case dates.event
            when 're-presentation' then reach.treatment_until
            when 'first job after end' then reach.benefits_until
            else reach.police_until
        end as followed_until
    from {{ ref('int_event_dates') }} as dates
    cross join reach
    where
        (dates.end_known_on is null or dates.end_known_on <= reach.treatment_until)
        and (
            dates.event not in ('reoffence after start', 'reoffence after end')
            or dates.origin_date >= reach.police_known_from
        )
),

ended as (
    select
        *,
        least(followed_until, death_date, happened_on) as ended_on
    from followed
    where origin_date <= followed_until and origin_date < {{ or_open('death_date') }}
)

select
    journey_id,
    person_id,
    event,
    is_linked,
    origin_date,
    (ended_on - origin_date)::integer as days,
    -- on the day of a death the event came first
    case
        when ended_on = happened_on then 'event'
        when ended_on = death_date then 'death'
        else 'censored'
    end as outcome
from ended
