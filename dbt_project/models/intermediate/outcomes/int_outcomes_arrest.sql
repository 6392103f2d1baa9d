{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- What may be said of each arrest. A positive test asks for an assessment; whoever is in treatment has had theirs.
with asked as (
    select
        pathways.*,
        pathways.is_positive and not pathways.was_engaged as is_asked,
        persons.is_linked_to_treatment,
        {{ covered_until(['treatment', 'police']) }} as covered_until
    from {{ ref('int_arrest_pathways') }} as pathways
    inner join {{ ref('int_persons') }} as persons on pathways.person_id = persons.person_id
    cross join {{ ref('int_feed_coverage') }} as coverage
    where {{ to_build('pathways.person_id') }}
)

select
    arrest_id,
    person_id,
    arrest_date,
    is_trigger_offence,
    opiate_result,
    cocaine_result,
    is_positive,
    was_engaged,
    next_arrest_date,
    journey_id,
    assessment_date,
    assessment_date - arrest_date as days_to_assessment,
    treatment_start_date,
    treatment_start_date - arrest_date as days_to_treatment,
    area_code,
    {{ outcome_status(
        happened='coalesce(assessment_date <= arrest_date + assessment_days, false)',
        follow_up_ends_on='arrest_date + assessment_days',
        observable_on='arrest_date + assessment_days',
        covered_until='covered_until',
        death_date='death_date',
        is_linked='is_linked_to_treatment',
        is_applicable='is_asked'
    ) }} as arrest_to_assessment,
    arrest_date + assessment_days as arrest_to_assessment_observable_on,
    {{ outcome_status(
        happened='treatment_start_date is not null',
        follow_up_ends_on='arrest_date + treatment_days',
        observable_on='arrest_date + treatment_days',
        covered_until='covered_until',
        death_date='death_date',
        is_linked='is_linked_to_treatment',
        is_applicable='is_asked'
    ) }} as arrest_to_treatment,
    arrest_date + treatment_days as arrest_to_treatment_observable_on
from asked
