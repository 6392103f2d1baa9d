{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}, {'columns': ['offence_study_group']}]) }}

-- The counts of a side are shown where its status is known; a group in which nothing is left to show has no row.
select
    around.person_id,
    around.journey_id,
    by_group.offence_study_group,
    bool_or(by_group.is_acquisitive) as is_acquisitive,
    bool_or(by_group.is_serious_acquisitive) as is_serious_acquisitive,
    (sum(by_group.offences_before) filter (where around.offences_before is not null))::integer as offences_before,
    (sum(by_group.offences_after) filter (where around.offences_after is not null))::integer as offences_after,
    (sum(by_group.convictions_before) filter (where around.convictions_before is not null))::integer
        as convictions_before,
    (sum(by_group.convictions_after) filter (where around.convictions_after is not null))::integer as convictions_after
from {{ ref('int_offending_around_by_group') }} as by_group
inner join {{ ref('int_offending_around_treatment') }} as around on by_group.journey_id = around.journey_id
where
    {{ to_build('around.person_id') }}
    and {{ balanced('around.person_id') }}
    and (around.offences_before is not null or around.offences_after is not null)
group by around.person_id, around.journey_id, by_group.offence_study_group
order by around.person_id, by_group.offence_study_group
