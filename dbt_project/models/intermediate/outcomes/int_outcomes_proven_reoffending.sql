{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- What may be said of each entry: counts are shown once their follow-up is over.
with asked as (
    select
        followups.*,
        followups.proven_before - 1 as observable_on,
        persons.is_linked_to_police,
        -- Before the police feed begins to tell, no offence found is no answer.
        coalesce(followups.entry_date >= reach.known_from, true) as is_reached,
        case
            when followups.journey_id is null then {{ covered_until(['police']) }}
            else {{ covered_until(['treatment', 'police']) }}
        end as covered_until
    from {{ ref('int_reoffending_followups') }} as followups
    inner join {{ ref('int_persons') }} as persons on followups.person_id = persons.person_id
    cross join {{ ref('int_feed_coverage') }} as coverage
    cross join {{ ref('int_police_reach') }} as reach
    where {{ to_build('followups.person_id') }}
),

answered as (
    select
        *,
        {{ outcome_status(
            happened='reoffences > 0',
            follow_up_ends_on='offences_before - 1',
            observable_on='observable_on',
            covered_until='covered_until',
            death_date='death_date',
            is_linked='is_linked_to_police',
            is_applicable='is_reached'
        ) }} as proven_reoffence
    from asked
)

select
    entry_id,
    person_id,
    cohort,
    indicator,
    entry_type,
    entry_date,
    journey_id,
    drug_group,
    area_code,
    provider_code,
    case when is_linked_to_police then previous_offences end as previous_offences,
    proven_reoffence,
    observable_on,
    {%- for column in [
        'first_reoffence_date', 'reoffences', 'convicted_reoffences', 'most_serious_reoffences',
        'acquisitive_reoffences', 'drug_related_reoffences', 'days_in_custody', 'days_at_risk'
    ] %}
        case when proven_reoffence in ('yes', 'no') then {{ column }} end as {{ column }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
from answered
