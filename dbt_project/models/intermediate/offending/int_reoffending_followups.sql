{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- What a person did after entering a cohort, whether or not the follow-up is over: nothing here depends on how far the
-- feeds reach.
with followed as (
    select
        entries.*,
        deaths.death_date,
        {{ add_months('entries.entry_date', 'definitions.window_length') }} as offences_before,
        {{ add_months('entries.entry_date', 'definitions.window_length + definitions.wait_months') }} as proven_before
    from {{ ref('int_reoffending_entries') }} as entries
    inner join {{ ref('indicator_definitions') }} as definitions on entries.indicator = definitions.indicator
    left join {{ ref('int_deaths') }} as deaths on entries.person_id = deaths.person_id
    where {{ to_build('entries.person_id') }}
),

at_risk as (
    select
        *,
        greatest(least(offences_before, {{ or_open('death_date') }}), entry_date) as at_risk_before
    from followed
),

reoffended as (
    select
        followed.entry_id,
        min(offences.offence_date) as first_reoffence_date,
        count(*) as reoffences,
        count(*) filter (where offences.is_court_conviction) as convicted_reoffences,
        count(*) filter (where offences.is_most_serious) as most_serious_reoffences,
        count(*) filter (where offences.is_acquisitive) as acquisitive_reoffences,
        count(*) filter (where offences.is_drug_related) as drug_related_reoffences
    from followed
    inner join {{ ref('int_proven_offences') }} as offences
        on
            followed.person_id = offences.person_id
            and followed.offences_from <= offences.offence_date
            and followed.offences_before > offences.offence_date
            and followed.proven_from <= offences.disposal_date
            and followed.proven_before > offences.disposal_date
            and {{ or_open('followed.death_date') }} >= offences.offence_date
    group by followed.entry_id
),

-- What a person had been sanctioned for before: rates of people with few and with many are not alike.
sanctioned_before as (
    select
        followed.entry_id,
        count(*) as previous_offences
    from followed
    inner join {{ ref('int_proven_offences') }} as offences
        on followed.person_id = offences.person_id and followed.entry_date > offences.disposal_date
    group by followed.entry_id
),

imprisoned as (
    select
        at_risk.entry_id,
        sum({{ nights_within(
            'custody.start_date', 'custody.end_date', 'at_risk.entry_date', 'at_risk.at_risk_before'
        ) }}) as days_in_custody
    from at_risk
    inner join {{ ref('int_time_in_custody') }} as custody
        on
            at_risk.person_id = custody.person_id
            and at_risk.at_risk_before > custody.start_date
            and at_risk.entry_date < {{ or_open('custody.end_date') }}
    group by at_risk.entry_id
)

select
    at_risk.entry_id,
    at_risk.person_id,
    at_risk.cohort,
    at_risk.indicator,
    at_risk.entry_type,
    at_risk.entry_date,
    at_risk.journey_id,
    at_risk.drug_group,
    at_risk.area_code,
    at_risk.provider_code,
    at_risk.death_date,
    at_risk.offences_before,
    at_risk.proven_before,
    coalesce(sanctioned_before.previous_offences, 0)::integer as previous_offences,
    reoffended.first_reoffence_date,
    coalesce(reoffended.reoffences, 0)::integer as reoffences,
    coalesce(reoffended.convicted_reoffences, 0)::integer as convicted_reoffences,
    coalesce(reoffended.most_serious_reoffences, 0)::integer as most_serious_reoffences,
    coalesce(reoffended.acquisitive_reoffences, 0)::integer as acquisitive_reoffences,
    coalesce(reoffended.drug_related_reoffences, 0)::integer as drug_related_reoffences,
    coalesce(imprisoned.days_in_custody, 0)::integer as days_in_custody,
    (at_risk.at_risk_before - at_risk.entry_date - coalesce(imprisoned.days_in_custody, 0))::integer as days_at_risk
from at_risk
left join reoffended on at_risk.entry_id = reoffended.entry_id
left join sanctioned_before on at_risk.entry_id = sanctioned_before.entry_id
left join imprisoned on at_risk.entry_id = imprisoned.entry_id
