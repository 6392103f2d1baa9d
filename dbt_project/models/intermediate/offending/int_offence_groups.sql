-- The rule for a code stands before the rule for its class, and that before the rule for its category.
with matched as (
    select
        codes.offence_class,
        codes.offence_subclass,
        rules.offence_study_group,
        rules.is_acquisitive,
        rules.is_serious_acquisitive,
        rules.is_drug_related,
        rules.is_violent,
        rules.is_most_serious,
        rules.certainty,
        row_number() over (
            partition by codes.offence_class, codes.offence_subclass
            order by rules.offence_subclass is null, rules.offence_class is null
        ) as nearness
    from {{ ref('home_office_offences') }} as codes
    inner join {{ ref('offence_study_groups') }} as rules
        on
            codes.actuarial_category = rules.actuarial_category
            and codes.offence_class = coalesce(rules.offence_class, codes.offence_class)
            and codes.offence_subclass = coalesce(rules.offence_subclass, codes.offence_subclass)
)

select
    offence_class,
    offence_subclass,
    offence_study_group,
    is_acquisitive,
    is_serious_acquisitive,
    is_drug_related,
    is_violent,
    is_most_serious,
    certainty
from matched
where nearness = 1
