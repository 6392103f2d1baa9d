select
    links.person_id,
    offences.offence_date,
    offences.disposal_date,
    offences.offence_class,
    offences.offence_subclass,
    coalesce(codes.offence_group, offences.force_offence_group) as offence_group,
    codes.actuarial_category as offence_category,
    disposals.label as disposal,
    coalesce(disposals.is_court_conviction, offences.proven_by_code = 'C') as is_court_conviction,
    coalesce(disposals.is_immediate_custody, false) as is_immediate_custody,
    offences.custody_start_date,
    offences.custody_end_date
from {{ ref('stg_police__offences') }} as offences
inner join {{ ref('stg_linkage__person_link') }} as links on offences.record_key = links.record_key
left join {{ ref('home_office_offences') }} as codes
    on offences.offence_class = codes.offence_class and offences.offence_subclass = codes.offence_subclass
left join {{ ref('disposals') }} as disposals on offences.disposal_code = disposals.disposal_code
