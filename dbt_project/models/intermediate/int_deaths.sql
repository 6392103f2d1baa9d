with reported as (
    select
        links.person_id,
        ndtms.discharge_date as death_date
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('discharge_reasons') }} as reasons on ndtms.discharge_reason_code = reasons.reason_code
    inner join {{ ref('stg_linkage__person_link') }} as links on ndtms.record_key = links.record_key
    where reasons.is_death

    union all

    select
        links.person_id,
        spells.end_date as death_date
    from {{ ref('stg_benefits__benefit_spells') }} as spells
    inner join {{ ref('stg_linkage__person_link') }} as links on spells.record_key = links.record_key
    where spells.end_reason_code = 'D'
)

select
    person_id,
    min(death_date) as death_date
from reported
where death_date is not null
group by person_id
