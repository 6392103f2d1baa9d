with followed as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.end_date,
        persons.death_date,
        persons.is_linked_to_police,
        {{ add_months('journeys.end_date', 'definitions.proven_reoffence_months') }} as offence_before,
        {{ add_months(
            'journeys.end_date', 'definitions.proven_reoffence_months + definitions.proven_reoffence_wait_months'
        ) }} as proven_before,
        {{ covered_until(['treatment', 'police']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('int_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where journeys.end_date is not null
),

reoffended as (
    select followed.journey_id
    from followed
    inner join {{ ref('int_proven_offences') }} as offences
        on
            followed.person_id = offences.person_id
            and followed.end_date <= offences.offence_date
            and followed.offence_before > offences.offence_date
            and followed.proven_before > offences.disposal_date
            and {{ or_open('followed.death_date') }} >= offences.offence_date
    group by followed.journey_id
),

found as (
    select
        followed.*,
        reoffended.journey_id is not null as has_reoffended
    from followed
    left join reoffended on followed.journey_id = reoffended.journey_id
)

select
    journey_id,
    {{ outcome_status(
        happened='has_reoffended',
        follow_up_ends_on='offence_before - 1',
        observable_on='proven_before - 1',
        covered_until='covered_until',
        death_date='death_date',
        is_linked='is_linked_to_police'
    ) }} as proven_reoffence_12m,
    proven_before - 1 as proven_reoffence_12m_observable_on
from found
