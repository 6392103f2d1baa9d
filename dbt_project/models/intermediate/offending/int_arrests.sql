{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- A test is positive when either drug was found. Whoever refused was asked for a sample and gave none. Arrests that
-- agree in everything kept here differ by their number alone.
with arrests as (
    select
        links.person_id,
        arrests.arrest_date,
        arrests.is_trigger_offence,
        arrests.opiate_result_code,
        arrests.cocaine_result_code,
        row_number() over (
            partition by
                links.person_id, arrests.arrest_date, arrests.is_trigger_offence, arrests.opiate_result_code,
                arrests.cocaine_result_code
        ) as copy_number
    from {{ ref('stg_police__arrests') }} as arrests
    inner join {{ ref('int_links_to_build') }} as links on arrests.record_key = links.record_key
)

select
    {{ surrogate_key([
        'arrests.person_id', 'arrests.arrest_date', 'arrests.is_trigger_offence', 'arrests.opiate_result_code',
        'arrests.cocaine_result_code', 'arrests.copy_number'
    ]) }} as arrest_id,
    arrests.person_id,
    arrests.arrest_date,
    arrests.is_trigger_offence,
    opiates.label as opiate_result,
    cocaine.label as cocaine_result,
    opiates.is_tested or cocaine.is_tested as is_tested,
    opiates.is_positive or cocaine.is_positive as is_positive,
    opiates.is_refused or cocaine.is_refused as is_refused
from arrests
inner join {{ ref('drug_test_results') }} as opiates on arrests.opiate_result_code = opiates.result_code
inner join {{ ref('drug_test_results') }} as cocaine on arrests.cocaine_result_code = cocaine.result_code
