{{ config(materialized='incremental', indexes=[
    {'columns': ['entry_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['cohort', 'entry_quarter']}
]) }}

select
    outcomes.entry_id,
    outcomes.person_id,
    outcomes.cohort,
    outcomes.entry_type,
    outcomes.entry_date,
    date_trunc('quarter', outcomes.entry_date)::date as entry_quarter,
    outcomes.journey_id,
    persons.sex,
    {{ age_band('persons.birth_year', 'outcomes.entry_date') }} as age_band,
    outcomes.drug_group,
    outcomes.area_code,
    outcomes.provider_code,
    persons.is_linked_to_police,
    outcomes.previous_offences,
    outcomes.proven_reoffence,
    outcomes.observable_on as proven_reoffence_observable_on,
    outcomes.first_reoffence_date,
    outcomes.reoffences,
    outcomes.convicted_reoffences,
    outcomes.most_serious_reoffences,
    outcomes.acquisitive_reoffences,
    outcomes.drug_related_reoffences,
    outcomes.days_in_custody,
    outcomes.days_at_risk
from {{ ref('int_outcomes_proven_reoffending') }} as outcomes
inner join {{ ref('int_persons') }} as persons on outcomes.person_id = persons.person_id
where {{ to_build('outcomes.person_id') }} and {{ balanced('outcomes.person_id') }}
order by outcomes.person_id, outcomes.cohort, outcomes.entry_date, outcomes.entry_id
