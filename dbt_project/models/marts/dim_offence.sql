{{ config(indexes=[{'columns': ['offence_class', 'offence_subclass'], 'unique': true}]) }}

select
    codes.offence_class,
    codes.offence_subclass,
    codes.class_description as offence_class_label,
    codes.subclass_description as offence,
    codes.offence_group,
    codes.actuarial_category as offence_category,
    study_groups.offence_study_group,
    study_groups.is_acquisitive,
    study_groups.is_serious_acquisitive,
    study_groups.is_drug_related,
    study_groups.is_violent,
    study_groups.is_most_serious
from {{ ref('home_office_offences') }} as codes
inner join {{ ref('int_offence_groups') }} as study_groups
    on
        codes.offence_class = study_groups.offence_class
        and codes.offence_subclass = study_groups.offence_subclass
order by codes.offence_class, codes.offence_subclass
