{{ config(materialized='incremental', indexes=[
    {'columns': ['custody_period_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['start_date']}
]) }}

select
    {{ surrogate_key(['periods.person_id', 'periods.start_date']) }} as custody_period_id,
    periods.person_id,
    periods.start_date,
    periods.end_date,
    periods.end_date - periods.start_date as nights_in_custody,
    periods.is_sentenced,
    periods.has_every_release,
    periods.stays::integer as merged_stays
from {{ ref('int_custody_periods') }} as periods
where {{ to_build('periods.person_id') }} and {{ balanced('periods.person_id') }}
