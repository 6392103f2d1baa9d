with followed as (
    select
        journeys.journey_id,
        journeys.person_id,
        journeys.end_date,
        journeys.is_successful_completion,
        persons.death_date,
        -- The last day on which a modality may start that continues the journey: until then its end is provisional.
        journeys.end_date + definitions.continuous_treatment_days - 1 as completion_observable_on,
        {{ add_months('journeys.end_date', 'definitions.re_presentation_months') }} as re_presentation_before,
        {{ covered_until(['treatment']) }} as covered_until
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_persons') }} as persons on journeys.person_id = persons.person_id
    cross join {{ ref('int_definitions') }} as definitions
    cross join {{ ref('int_feed_coverage') }} as coverage
    where journeys.end_date is not null
),

returned as (
    select followed.journey_id
    from followed
    inner join {{ ref('int_treatment_journeys') }} as later
        on
            followed.person_id = later.person_id
            and followed.journey_id != later.journey_id
            and followed.end_date <= later.start_date
            and followed.re_presentation_before > later.start_date
            and {{ or_open('followed.death_date') }} >= later.start_date
    group by followed.journey_id
),

found as (
    select
        followed.*,
        returned.journey_id is not null as has_re_presented
    from followed
    left join returned on followed.journey_id = returned.journey_id
)

select
    journey_id,
    -- A journey that ended in death has its outcome: it was not completed. So nothing is censored here.
    {{ outcome_status(
        happened='is_successful_completion',
        follow_up_ends_on='end_date',
        observable_on='completion_observable_on',
        covered_until='covered_until',
        death_date='null::date'
    ) }} as successful_completion,
    completion_observable_on as successful_completion_observable_on,
    {{ outcome_status(
        happened='has_re_presented',
        follow_up_ends_on='re_presentation_before - 1',
        observable_on='re_presentation_before - 1',
        covered_until='covered_until',
        death_date='death_date',
        is_applicable='is_successful_completion'
    ) }} as re_presentation_6m,
    case when is_successful_completion then re_presentation_before - 1 end as re_presentation_6m_observable_on
from found
