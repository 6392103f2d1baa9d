{{ config(indexes=[{'columns': ['person_id'], 'unique': true}]) }}

select
    around.person_id,
    around.nomination_date,
    strands.label as strand,
    around.area_code,
    around.sex,
    around.age_band,
    around.is_adult,
    around.is_alcohol_only,
    around.is_parent,
    around.is_linked_to_police,
    around.offended_before,
    around.before_observable_on as offended_before_observable_on,
    around.offended_after,
    around.after_observable_on as offended_after_observable_on,
    around.is_compared,
    around.offences_before,
    around.offences_after,
    around.days_at_risk_before,
    around.days_at_risk_after
from {{ ref('int_priority_offending') }} as around
left join {{ ref('priority_strands') }} as strands on around.strand_code = strands.strand_code
where {{ balanced('around.person_id') }}
order by around.person_id
