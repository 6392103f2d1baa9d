{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- What may be said of each time in prison: of the reception, whether treatment in the community knew the person; of the
-- release, whether it began or went on in time.
with asked as (
    select
        pathways.*,
        persons.is_linked_to_treatment,
        case
            when pathways.reported_by = 'custody' then {{ covered_until(['treatment', 'custody']) }}
            else {{ covered_until(['treatment', 'police']) }}
        end as covered_until
    from {{ ref('int_custody_pathways') }} as pathways
    inner join {{ ref('int_persons') }} as persons on pathways.person_id = persons.person_id
    cross join {{ ref('int_feed_coverage') }} as coverage
    where {{ to_build('pathways.person_id') }}
)

select
    custody_id,
    person_id,
    reception_date,
    release_date,
    is_sentenced,
    is_released_to_community,
    reported_by,
    area_code,
    need_evidence,
    was_open_on_release,
    engaged_on,
    engaged_on - release_date as days_to_treatment,
    received_again_on,
    {{ outcome_status(
        happened='not was_known_to_community_treatment',
        follow_up_ends_on='reception_date',
        observable_on='reception_date',
        covered_until='covered_until',
        death_date='null::date',
        is_applicable='has_need_at_reception'
    ) }} as need_not_in_treatment,
    {{ outcome_status(
        happened='engaged_on is not null',
        follow_up_ends_on='follow_up_ends_on',
        observable_on='follow_up_ends_on',
        covered_until='covered_until',
        death_date='death_date',
        is_linked='is_linked_to_treatment',
        is_applicable='is_released_to_community and need_evidence is not null'
    ) }} as custody_to_community,
    follow_up_ends_on as custody_to_community_observable_on
from asked
