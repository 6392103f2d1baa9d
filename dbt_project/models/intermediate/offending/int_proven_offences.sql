{{ config(materialized='incremental') }}

select
    links.person_id,
    offences.offence_date,
    offences.disposal_date,
    offences.offence_class,
    offences.offence_subclass,
    coalesce(codes.offence_group, offences.force_offence_group) as offence_group,
    codes.actuarial_category as offence_category,
    coalesce(study_groups.offence_study_group, 'other') as offence_study_group,
    coalesce(study_groups.is_acquisitive, false) as is_acquisitive,
    coalesce(study_groups.is_serious_acquisitive, false) as is_serious_acquisitive,
    coalesce(study_groups.is_drug_related, false) as is_drug_related,
    coalesce(study_groups.is_most_serious, false) as is_most_serious,
    disposals.label as disposal,
    coalesce(disposals.is_court_conviction, offences.proven_by_code = 'C') as is_court_conviction,
    coalesce(disposals.is_immediate_custody, false) as is_immediate_custody,
    coalesce(disposals.is_community_order, false) as is_community_order,
    offences.custody_start_date,
    offences.custody_end_date,
    offences.lsoa_code
from {{ ref('stg_police__offences') }} as offences
inner join {{ ref('int_links_to_build') }} as links on offences.record_key = links.record_key
left join {{ ref('home_office_offences') }} as codes
    on offences.offence_class = codes.offence_class and offences.offence_subclass = codes.offence_subclass
left join {{ ref('int_offence_groups') }} as study_groups
    on
        offences.offence_class = study_groups.offence_class
        and offences.offence_subclass = study_groups.offence_subclass
left join {{ ref('disposals') }} as disposals on offences.disposal_code = disposals.disposal_code
