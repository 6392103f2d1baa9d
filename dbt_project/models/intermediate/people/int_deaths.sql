{{ config(materialized='incremental') }}

-- A registered date of death stands before all others: it comes from a medical certificate or an inquest, while an
-- agency dates a death by the day it closed its case. Of several reports of one kind the earliest stands.
with reported as (
    select
        links.person_id,
        registrations.death_date,
        'deaths' as reported_by,
        registrations.underlying_cause_code,
        1 as precedence
    from {{ ref('stg_deaths__registrations') }} as registrations
    inner join {{ ref('int_links_to_build') }} as links on registrations.record_key = links.record_key

    union all

    select
        links.person_id,
        releases.release_date as death_date,
        'custody' as reported_by,
        null as underlying_cause_code,
        2 as precedence
    from {{ ref('stg_custody__releases') }} as releases
    inner join {{ ref('release_types') }} as types on releases.release_type_code = types.release_type_code
    inner join {{ ref('int_links_to_build') }} as links on releases.record_key = links.record_key
    where types.is_death

    union all

    select
        links.person_id,
        ndtms.discharge_date as death_date,
        'treatment' as reported_by,
        null as underlying_cause_code,
        2 as precedence
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('discharge_reasons') }} as reasons on ndtms.discharge_reason_code = reasons.reason_code
    inner join {{ ref('int_links_to_build') }} as links on ndtms.record_key = links.record_key
    where reasons.is_death

    union all

    select
        links.person_id,
        spells.end_date as death_date,
        'benefits' as reported_by,
        null as underlying_cause_code,
        2 as precedence
    from {{ ref('stg_benefits__benefit_spells') }} as spells
    inner join {{ ref('int_links_to_build') }} as links on spells.record_key = links.record_key
    where spells.end_reason_code = 'D'
)

select distinct on (person_id)
    person_id,
    death_date,
    reported_by,
    underlying_cause_code
from reported
where death_date is not null
order by person_id asc, precedence asc, death_date asc, reported_by asc, underlying_cause_code asc
