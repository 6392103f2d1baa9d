{{ config(materialized='incremental') }}

-- Whatever housing services learn of where a person lives, dated by when it became so. `precedence` orders what they
-- learn on one day: an outcome over a placement over what was true on applying.
with members as (
    select
        links.person_id,
        people.case_key
    from {{ ref('stg_housing__people') }} as people
    inner join {{ ref('int_links_to_build') }} as links on people.record_key = links.record_key
),

cases as (
    select
        members.person_id,
        cases.*
    from members
    inner join {{ ref('stg_housing__cases') }} as cases on members.case_key = cases.case_key
),

services as (
    select
        links.person_id,
        services.*
    from {{ ref('stg_housing__support_services') }} as services
    inner join {{ ref('int_links_to_build') }} as links on services.record_key = links.record_key
),

learnt as (
    -- Someone owed a prevention or relief duty is homeless or about to be, whatever roof is over them that day.
    select
        cases.person_id,
        cases.application_date as event_date,
        'application' as evidence,
        1 as precedence,
        types.label as accommodation_type,
        case when cases.assessment_decision_code in ('P', 'R') then false else types.is_settled end as is_settled,
        cases.local_authority_code
    from cases
    left join {{ ref('accommodation_types') }} as types on cases.accommodation_code = types.accommodation_code

    union all

    select
        cases.person_id,
        stays.entry_date as event_date,
        'temporary accommodation' as evidence,
        2 as precedence,
        types.label as accommodation_type,
        false as is_settled,
        cases.local_authority_code
    from {{ ref('stg_housing__temporary_accommodation') }} as stays
    inner join cases on stays.case_key = cases.case_key
    left join {{ ref('temporary_accommodation_types') }} as types on stays.ta_type_code = types.ta_type_code

    union all

    select
        services.person_id,
        services.entry_date as event_date,
        'support service' as evidence,
        2 as precedence,
        types.label as accommodation_type,
        false as is_settled,
        services.local_authority_code
    from services
    inner join {{ ref('support_service_types') }} as types on services.service_type_code = types.service_type_code
    where types.provides_accommodation

    union all

    -- A duty that ends with accommodation secured for six months settles, unless what was secured says otherwise.
    select
        cases.person_id,
        duties.end_date as event_date,
        'duty outcome' as evidence,
        3 as precedence,
        types.label as accommodation_type,
        coalesce(types.is_settled, case when duties.end_reason_code = 'SEC' then true end) as is_settled,
        cases.local_authority_code
    from {{ ref('stg_housing__duties') }} as duties
    inner join cases on duties.case_key = cases.case_key
    left join {{ ref('accommodation_types') }} as types on duties.accommodation_secured_code = types.accommodation_code

    union all

    select
        services.person_id,
        services.exit_date as event_date,
        'support outcome' as evidence,
        3 as precedence,
        null as accommodation_type,
        services.has_achieved_settled_accommodation as is_settled,
        services.local_authority_code
    from services
    where services.has_settled_accommodation_need
)

select
    person_id,
    event_date,
    evidence,
    precedence,
    coalesce(accommodation_type, 'Not known') as accommodation_type,
    is_settled,
    local_authority_code
from learnt
where event_date is not null and is_settled is not null
