-- Every agency record of a person that is in source on the night, with the person linkage gave it, if any.
with records as (
    select
        'treatment' as feed,
        record_key
    from {{ ref('stg_treatment__ndtms') }}
    group by record_key

    union all

    select
        'police' as feed,
        record_key
    from {{ ref('stg_police__nominals') }}

    union all

    select
        'benefits' as feed,
        record_key
    from {{ ref('stg_benefits__claimants') }}

    union all

    select
        'housing' as feed,
        record_key
    from {{ ref('stg_housing__people') }}

    union all

    select
        'housing' as feed,
        record_key
    from {{ ref('stg_housing__support_services') }}
),

counted as (
    select
        records.feed,
        count(*) as records,
        count(links.record_key) as records_linked,
        count(*) filter (where links.record_key is null) as records_left_out
    from records
    left join {{ ref('stg_linkage__person_link') }} as links on records.record_key = links.record_key
    group by records.feed
)

select
    feeds.feed,
    coverage.coverage_end,
    coverage.last_night,
    coalesce(counted.records, 0) as records,
    coalesce(counted.records_linked, 0) as records_linked,
    coalesce(counted.records_left_out, 0) as records_left_out
from (values ('treatment'), ('police'), ('benefits'), ('housing')) as feeds (feed)
left join {{ ref('stg_ops__feed_coverage') }} as coverage on feeds.feed = coverage.feed
left join counted on feeds.feed = counted.feed
