{{ config(materialized='incremental') }}

-- A person may hold two out-of-work benefits at once; this is the time on any of them.
with out_of_work as (
    select
        person_id,
        start_date,
        end_date
    from {{ ref('int_benefit_spells') }}
    where is_out_of_work and {{ to_build('person_id') }}
),

numbered as (
    {{ number_islands('out_of_work', ['person_id']) }}
)

select
    person_id,
    min(start_date) as start_date,
    {{ latest_end('end_date') }} as end_date
from numbered
group by person_id, island
