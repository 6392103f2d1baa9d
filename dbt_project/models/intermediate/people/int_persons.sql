{{ config(materialized='incremental') }}

-- Where agencies disagree about a person the most frequent value stands, the lowest of several equally frequent ones.
with linked as (
    select
        person_id,
        count(*) as record_count,
        bool_or(feed = 'treatment') as is_linked_to_treatment,
        bool_or(feed = 'police') as is_linked_to_police,
        bool_or(feed = 'benefits') as is_linked_to_benefits,
        bool_or(feed = 'housing') as is_linked_to_housing,
        bool_or(feed = 'custody') as is_linked_to_custody
    from {{ ref('int_links_to_build') }}
    group by person_id
    -- The register of deaths knows the whole country: whoever no other agency knows is nobody here.
    having bool_or(feed != 'deaths')
),

described as (
    select distinct
        record_key,
        sex,
        birth_year,
        nullif(ethnic_code, 'Z') as ethnic_code
    from {{ ref('stg_treatment__ndtms') }}

    union all

    select
        record_key,
        nullif(sex, 'U') as sex,
        birth_year,
        null as ethnic_code
    from {{ ref('stg_police__nominals') }}

    union all

    select
        record_key,
        sex,
        birth_year,
        null as ethnic_code
    from {{ ref('stg_benefits__claimants') }}

    union all

    select
        record_key,
        sex,
        birth_year,
        nullif(ethnic_code, 'Z') as ethnic_code
    from {{ ref('stg_housing__people') }}

    union all

    select
        record_key,
        sex,
        birth_year,
        null as ethnic_code
    from {{ ref('stg_housing__support_services') }}

    union all

    select
        record_key,
        sex,
        birth_year,
        null as ethnic_code
    from {{ ref('stg_deaths__registrations') }}

    union all

    -- one vote for each record, however often the person was received
    select distinct
        record_key,
        sex,
        birth_year,
        null as ethnic_code
    from {{ ref('stg_custody__receptions') }}

    union all

    select distinct
        record_key,
        sex,
        birth_year,
        null as ethnic_code
    from {{ ref('stg_priority_offenders__nominations') }}
),

agreed as (
    select
        links.person_id,
        mode() within group (order by described.sex) as sex,
        mode() within group (order by described.birth_year) as birth_year,
        mode() within group (order by described.ethnic_code) as ethnic_code
    from described
    inner join {{ ref('int_links_to_build') }} as links on described.record_key = links.record_key
    group by links.person_id
)

select
    linked.person_id,
    agreed.sex,
    agreed.birth_year,
    agreed.ethnic_code,
    deaths.death_date,
    linked.record_count,
    linked.is_linked_to_treatment,
    linked.is_linked_to_police,
    linked.is_linked_to_benefits,
    linked.is_linked_to_housing,
    linked.is_linked_to_custody
from linked
left join agreed on linked.person_id = agreed.person_id
left join {{ ref('int_deaths') }} as deaths on linked.person_id = deaths.person_id
