{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Prisons know best who was inside and when. The custody dates that police hold with a disposal stand for people of
-- whom prisons have no record at all.
with in_prison as (
    select periods.*
    from {{ ref('int_custody_periods') }} as periods
    where {{ to_build('periods.person_id') }}
),

-- A stay whose release was never reported ends by inference, and nobody knows where the person went.
released as (
    select
        links.person_id,
        releases.release_date,
        bool_or(types.is_to_community) as is_to_community
    from {{ ref('stg_custody__releases') }} as releases
    inner join {{ ref('int_links_to_build') }} as links on releases.record_key = links.record_key
    inner join {{ ref('release_types') }} as types on releases.release_type_code = types.release_type_code
    group by links.person_id, releases.release_date
),

known_to_police as (
    select
        offences.person_id,
        offences.custody_start_date as start_date,
        case
            when offences.custody_end_date is not null
                then greatest(offences.custody_end_date, offences.custody_start_date)
        end as end_date
    from {{ ref('int_proven_offences') }} as offences
    where
        offences.custody_start_date is not null
        and not exists (
            select
            from in_prison
            where in_prison.person_id = offences.person_id
        )
        and {{ to_build('offences.person_id') }}
),

numbered as (
    {{ number_islands('known_to_police', ['person_id']) }}
)

select
    in_prison.person_id,
    in_prison.start_date,
    in_prison.end_date,
    in_prison.is_sentenced,
    coalesce(released.is_to_community, false) as is_released_to_community,
    'custody' as reported_by
from in_prison
left join released on in_prison.person_id = released.person_id and in_prison.end_date = released.release_date

union all

select
    person_id,
    min(start_date) as start_date,
    {{ latest_end('end_date') }} as end_date,
    true as is_sentenced,
    {{ latest_end('end_date') }} is not null as is_released_to_community,
    'police' as reported_by
from numbered
group by person_id, island
