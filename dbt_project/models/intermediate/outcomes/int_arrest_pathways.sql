{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Arrests for which a drug test was asked, with what treatment knew of the person then and what followed. The first
-- journey after the arrest wins. Nothing here depends on how far the feeds reach.
with arrests as (
    select
        arrests.*,
        assessment.window_length as assessment_days,
        treatment.window_length as treatment_days,
        -- whoever left treatment within so many days before was engaged already
        arrests.arrest_date - assessment.window_length as engaged_from
    from {{ ref('int_arrests') }} as arrests
    inner join {{ ref('indicator_definitions') }} as assessment on assessment.indicator = 'arrest_to_assessment'
    inner join {{ ref('indicator_definitions') }} as treatment on treatment.indicator = 'arrest_to_treatment'
    where
        (arrests.is_trigger_offence or arrests.is_tested or arrests.is_refused)
        and {{ to_build('arrests.person_id') }}
),

engaged as (
    select distinct arrests.arrest_id
    from arrests
    inner join {{ ref('int_treatment_journeys') }} as journeys
        on
            arrests.person_id = journeys.person_id
            and arrests.arrest_date > journeys.start_date
            and arrests.engaged_from <= {{ or_open('journeys.end_date') }}
),

followed as (
    select distinct on (arrests.arrest_id)
        arrests.arrest_id,
        journeys.journey_id,
        journeys.start_date as assessment_date,
        journeys.treatment_start_date
    from arrests
    inner join {{ ref('int_treatment_journeys') }} as journeys
        on arrests.person_id = journeys.person_id and arrests.arrest_date <= journeys.start_date
    order by arrests.arrest_id asc, journeys.start_date asc, journeys.journey_number asc
),

arrest_days as (
    select distinct
        person_id,
        arrest_date
    from {{ ref('int_arrests') }}
    where {{ to_build('person_id') }}
),

arrested_again as (
    select
        person_id,
        arrest_date,
        lead(arrest_date) over (partition by person_id order by arrest_date) as next_arrest_date
    from arrest_days
)

select
    arrests.arrest_id,
    arrests.person_id,
    arrests.arrest_date,
    arrests.is_trigger_offence,
    arrests.opiate_result,
    arrests.cocaine_result,
    arrests.is_positive,
    arrests.assessment_days,
    arrests.treatment_days,
    residence.area_code,
    deaths.death_date,
    engaged.arrest_id is not null as was_engaged,
    arrested_again.next_arrest_date,
    case when followed.assessment_date <= arrests.arrest_date + arrests.treatment_days then followed.journey_id end
        as journey_id,
    case
        when followed.assessment_date <= arrests.arrest_date + arrests.treatment_days then followed.assessment_date
    end as assessment_date,
    case
        when
            followed.treatment_start_date between arrests.arrest_date and arrests.arrest_date + arrests.treatment_days
            then followed.treatment_start_date
    end as treatment_start_date
from arrests
inner join arrested_again
    on arrests.person_id = arrested_again.person_id and arrests.arrest_date = arrested_again.arrest_date
left join engaged on arrests.arrest_id = engaged.arrest_id
left join followed on arrests.arrest_id = followed.arrest_id
left join {{ ref('int_deaths') }} as deaths on arrests.person_id = deaths.person_id
left join {{ ref('int_police_residence') }} as residence
    on
        arrests.person_id = residence.person_id
        and arrests.arrest_date between residence.start_date and {{ or_open('residence.end_date') }}
