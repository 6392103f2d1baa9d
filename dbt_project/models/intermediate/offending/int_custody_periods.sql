{{ config(materialized='incremental') }}

-- A reception and its release frame a stay; a release whose reception never came is a stay too. A transfer does not end
-- time in prison, and a release may be missing: such a stay lasts until the person is next received anywhere, or is
-- still going on.
with received as (
    select
        links.person_id,
        receptions.record_key,
        receptions.establishment_code,
        receptions.reception_date,
        types.is_sentenced
    from {{ ref('stg_custody__receptions') }} as receptions
    inner join {{ ref('int_links_to_build') }} as links on receptions.record_key = links.record_key
    left join {{ ref('reception_types') }} as types on receptions.reception_type_code = types.reception_type_code
),

released as (
    select
        links.person_id,
        releases.record_key,
        releases.establishment_code,
        releases.reception_date,
        releases.release_date,
        coalesce(types.leaves_custody, true) as leaves_custody
    from {{ ref('stg_custody__releases') }} as releases
    inner join {{ ref('int_links_to_build') }} as links on releases.record_key = links.record_key
    left join {{ ref('release_types') }} as types on releases.release_type_code = types.release_type_code
),

framed as (
    select
        coalesce(received.person_id, released.person_id) as person_id,
        coalesce(received.reception_date, released.reception_date) as start_date,
        case when released.leaves_custody then released.release_date end as left_on,
        coalesce(received.is_sentenced, false) as is_sentenced,
        released.release_date is not null as has_release
    from received
    full outer join released
        on
            received.person_id = released.person_id
            and received.record_key = released.record_key
            and received.establishment_code = released.establishment_code
            and received.reception_date = released.reception_date
),

stays as (
    select
        person_id,
        start_date,
        coalesce(left_on, lead(start_date) over (partition by person_id order by start_date, left_on)) as end_date,
        is_sentenced,
        has_release
    from framed
),

-- Whoever is received on the day of a release, or the day after, did not leave: a court sent them back.
numbered as (
    {{ number_islands('stays', ['person_id']) }}
)

select
    person_id,
    min(start_date) as start_date,
    {{ latest_end('end_date') }} as end_date,
    bool_or(is_sentenced) as is_sentenced,
    bool_and(has_release) as has_every_release,
    count(*) as stays
from numbered
group by person_id, island
