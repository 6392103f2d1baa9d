{{ config(materialized='view') }}

-- Reoffending of everyone who left treatment, as columns of the journey.
select
    journey_id,
    person_id,
    proven_reoffence as proven_reoffence_12m,
    observable_on as proven_reoffence_12m_observable_on
from {{ ref('int_outcomes_proven_reoffending') }}
where indicator = 'proven_reoffence_12m'
