{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- An offence belongs to the two years in which it was committed, if it was proven by the end of the wait that follows
-- them: the same wait on both sides, so that neither has longer for its offences to come to court.
select
    windows.person_id,
    windows.journey_id,
    offences.offence_study_group,
    offences.is_acquisitive,
    offences.is_serious_acquisitive,
    offences.is_drug_related,
    count(*) filter (where offences.offence_date < windows.start_date)::integer as offences_before,
    count(*) filter (where offences.offence_date >= windows.start_date)::integer as offences_after,
    count(*) filter (where offences.offence_date < windows.start_date and offences.is_court_conviction)::integer
        as convictions_before,
    count(*) filter (where offences.offence_date >= windows.start_date and offences.is_court_conviction)::integer
        as convictions_after
from {{ ref('int_offending_windows') }} as windows
inner join {{ ref('int_proven_offences') }} as offences
    on
        windows.person_id = offences.person_id
        and windows.before_from <= offences.offence_date
        and windows.after_before > offences.offence_date
        and {{ or_open('windows.death_date') }} >= offences.offence_date
where
    offences.disposal_date < case
        when offences.offence_date < windows.start_date then windows.before_proven_before
        else windows.after_proven_before
    end
    and {{ to_build('windows.person_id') }}
group by
    windows.person_id, windows.journey_id, offences.offence_study_group, offences.is_acquisitive,
    offences.is_serious_acquisitive, offences.is_drug_related
