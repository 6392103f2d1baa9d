{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Housing records that tell of a drug need: an application as homeless with the need, of its main applicant, whom the
-- needs of a case are asked of; and time in a support service for people with drug problems.
select
    links.person_id,
    'drug need when homeless' as evidence,
    cases.application_date as start_date,
    cases.application_date as end_date,
    cases.local_authority_code
from {{ ref('stg_housing__support_needs') }} as needs
inner join {{ ref('stg_housing__cases') }} as cases on needs.case_key = cases.case_key
inner join {{ ref('stg_housing__people') }} as people
    on cases.case_key = people.case_key and people.relationship_code = 'A'
inner join {{ ref('int_links_to_build') }} as links on people.record_key = links.record_key
where needs.support_need_code = 'DRG'

union all

select
    links.person_id,
    'drug support service' as evidence,
    services.entry_date as start_date,
    services.exit_date as end_date,
    services.local_authority_code
from {{ ref('stg_housing__support_services') }} as services
inner join {{ ref('int_links_to_build') }} as links on services.record_key = links.record_key
where services.client_group_code = '9'
