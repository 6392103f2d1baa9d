{{ config(materialized='view') }}

-- The ways into treatment from arrest and from custody: a reception, a release or an arrest counts on its day.
with asked as (
    select
        'custody_to_community' as indicator,
        person_id,
        custody_id as unit_id,
        release_date as counts_from,
        area_code,
        custody_to_community as status
    from {{ ref('int_outcomes_custody') }}
    where {{ to_build('person_id') }}

    union all

    select
        'custody_need_not_in_treatment' as indicator,
        person_id,
        custody_id as unit_id,
        reception_date as counts_from,
        area_code,
        need_not_in_treatment as status
    from {{ ref('int_outcomes_custody') }}
    where {{ to_build('person_id') }}

    union all

    select
        'arrest_to_assessment' as indicator,
        person_id,
        arrest_id as unit_id,
        arrest_date as counts_from,
        area_code,
        arrest_to_assessment as status
    from {{ ref('int_outcomes_arrest') }}
    where {{ to_build('person_id') }}

    union all

    select
        'arrest_to_treatment' as indicator,
        person_id,
        arrest_id as unit_id,
        arrest_date as counts_from,
        area_code,
        arrest_to_treatment as status
    from {{ ref('int_outcomes_arrest') }}
    where {{ to_build('person_id') }}
)

select
    indicator,
    person_id,
    unit_id::text as unit_key,
    counts_from,
    counts_from as counts_to,
    area_code,
    null::text as provider_code,
    null::text as drug_group,
    (status = 'yes')::integer as numerator,
    status
from asked
where status != 'not applicable'
