{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

with followed as (
    select
        journeys.journey_id,
        journeys.person_id,
        definitions.indicator,
        {{ add_months('journeys.end_date', 'definitions.window_length') }} as asked_on,
        persons.death_date,
        {{ covered_until(['treatment', 'housing']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('indicator_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where
        journeys.end_date is not null
        and definitions.indicator in ('settled_accommodation_6m', 'settled_accommodation_12m')
        and {{ to_build('journeys.person_id') }}
),

-- Housing services know most people only from the day they first asked for help: until then they are as good as
-- unlinked.
found as (
    select
        followed.*,
        spells.person_id is not null as is_known,
        coalesce(spells.is_settled, false) and followed.asked_on < {{ or_open('followed.death_date') }} as is_settled
    from followed
    left join {{ ref('int_accommodation_spells') }} as spells
        on
            followed.person_id = spells.person_id
            and followed.asked_on between spells.start_date and {{ or_open('spells.end_date') }}
)

select
    journey_id,
    person_id,
    indicator,
    asked_on as observable_on,
    {{ outcome_status(
        happened='is_settled',
        follow_up_ends_on='asked_on',
        observable_on='asked_on',
        covered_until='covered_until',
        death_date='death_date',
        is_linked='is_known'
    ) }} as status
from found
