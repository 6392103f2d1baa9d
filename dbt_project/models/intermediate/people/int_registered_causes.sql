{{ config(materialized='incremental') }}

-- The register says what a person died of by the underlying cause and by all causes mentioned. Codes have three or four
-- characters; a definition names either.
with registered as (
    select
        links.person_id,
        registrations.record_key,
        registrations.death_date,
        registrations.underlying_cause_code,
        mentioned.cause_code,
        mentioned.cause_code = registrations.underlying_cause_code as is_underlying
    from {{ ref('stg_deaths__registrations') }} as registrations
    inner join {{ ref('int_links_to_build') }} as links on registrations.record_key = links.record_key
    cross join lateral (
        select distinct causes.cause_code
        from (
            values
            (registrations.underlying_cause_code), (registrations.cause_1_code), (registrations.cause_2_code),
            (registrations.cause_3_code), (registrations.cause_4_code), (registrations.cause_5_code),
            (registrations.cause_6_code)
        ) as causes (cause_code)
        where causes.cause_code is not null
    ) as mentioned
)

select
    registered.person_id,
    registered.death_date,
    min(registered.underlying_cause_code) as underlying_cause_code,
    coalesce(bool_or(
        registered.is_underlying and roles.cause_role in ('drug misuse', 'drug poisoning')
    ), false) as is_drug_poisoning,
    coalesce(bool_or(registered.is_underlying and roles.cause_role = 'drug misuse'), false)
    or (
        coalesce(bool_or(registered.is_underlying and roles.cause_role = 'drug poisoning'), false)
        and coalesce(bool_or(roles.cause_role = 'controlled drug'), false)
    ) as is_drug_misuse,
    coalesce(bool_or(registered.is_underlying and roles.cause_role = 'alcohol-specific'), false) as is_alcohol_specific
from registered
left join {{ ref('causes_of_death') }} as roles
    on roles.cause_code in (registered.cause_code, left(registered.cause_code, 3))
group by registered.person_id, registered.death_date
