{{ config(materialized='view') }}

-- Time at risk is its own unit: years of it, and the death in it, add up.
select
    case treatment_phase
        when 'in treatment' then 'deaths_in_treatment'
        when 'within a year of leaving' then 'deaths_within_a_year'
        else 'deaths_later'
    end as indicator,
    person_id,
    concat_ws('|', person_id, treatment_phase, counts_from, deaths) as unit_key,
    counts_from,
    counts_to,
    area_code,
    provider_code,
    drug_group,
    deaths::numeric as numerator,
    round(person_days / 365.25, 6) as denominator,
    case when deaths > 0 then 'yes' else 'no' end as status
from {{ ref('int_death_exposure') }}

union all

-- National figures of drug misuse are of all residents, known to an agency or not, and of the year of registration.
select
    'drug_misuse_deaths' as indicator,
    links.person_id,
    concat_ws('|', links.person_id, registrations.death_date) as unit_key,
    min(registrations.registration_date) as counts_from,
    min(registrations.registration_date) as counts_to,
    min(areas.area_code) as area_code,
    null as provider_code,
    null as drug_group,
    1::numeric as numerator,
    0::numeric as denominator,
    'yes' as status
from {{ ref('stg_deaths__registrations') }} as registrations
inner join {{ ref('int_person_links') }} as links on registrations.record_key = links.record_key
inner join {{ ref('int_registered_causes') }} as causes
    on links.person_id = causes.person_id and registrations.death_date = causes.death_date and causes.is_drug_misuse
left join {{ ref('int_area_lookup') }} as areas on registrations.local_authority_code = areas.local_authority_code
group by links.person_id, registrations.death_date
