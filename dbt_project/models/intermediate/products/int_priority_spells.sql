{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Unbroken time on lists: whoever is on the lists of two schemes at once, or goes from one to the next, is on one list.
with nominations as (
    select
        links.person_id,
        nominations.nomination_date as start_date,
        nominations.removal_date as end_date,
        nominations.strand_code,
        nominations.removal_reason_code,
        areas.area_code
    from {{ ref('stg_priority_offenders__nominations') }} as nominations
    inner join {{ ref('int_links_to_build') }} as links on nominations.record_key = links.record_key
    left join {{ ref('int_area_lookup') }} as areas
        on nominations.local_authority_code = areas.local_authority_code
),

numbered as (
    {{ number_islands('nominations', ['person_id']) }}
),

merged as (
    select
        person_id,
        min(start_date) as start_date,
        {{ latest_end('end_date') }} as end_date,
        -- the scheme that named the person first says where and in which strand, the last to let go says why
        (array_agg(strand_code order by start_date, strand_code))[1] as strand_code,
        (array_agg(area_code order by start_date, area_code))[1] as area_code,
        (array_agg(removal_reason_code order by spell_end desc, removal_reason_code asc))[1] as removal_reason_code,
        count(*) as nominations
    from numbered
    group by person_id, island
)

select
    person_id,
    start_date,
    end_date,
    strand_code,
    area_code,
    case when end_date is not null then removal_reason_code end as removal_reason_code,
    nominations,
    row_number() over (partition by person_id order by start_date) as spell_number
from merged
