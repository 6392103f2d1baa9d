{{ config(materialized='incremental', indexes=[
    {'columns': ['arrest_event_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['arrest_date']}
]) }}

select
    arrests.arrest_id as arrest_event_id,
    arrests.person_id,
    arrests.arrest_date,
    arrests.is_trigger_offence,
    arrests.opiate_result,
    arrests.cocaine_result,
    arrests.is_tested,
    arrests.is_positive,
    arrests.is_refused
from {{ ref('int_arrests') }} as arrests
where {{ to_build('arrests.person_id') }} and {{ balanced('arrests.person_id') }}
