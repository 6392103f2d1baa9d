-- The upper-tier authority of a partnership: as published where its code has been read in a public source, else the
-- authority where most of its clients live.
with lived as (
    select
        episodes.partnership_code,
        areas.area_code,
        count(*) as episode_count
    from {{ ref('int_treatment_episodes') }} as episodes
    inner join {{ ref('int_area_lookup') }} as areas on episodes.local_authority_code = areas.local_authority_code
    where episodes.partnership_code is not null and {{ balanced('episodes.person_id') }}
    group by episodes.partnership_code, areas.area_code
),

commonest as (
    select distinct on (partnership_code)
        partnership_code,
        area_code,
        episode_count
    from lived
    order by partnership_code asc, episode_count desc, area_code asc
)

select
    coalesce(published.partnership_code, commonest.partnership_code) as partnership_code,
    published.partnership_name,
    case when published.partnership_code is null then commonest.area_code else published.area_code end as area_code,
    published.partnership_code is not null as is_published,
    coalesce(commonest.episode_count, 0) as episode_count
from {{ ref('partnerships') }} as published
full outer join commonest on published.partnership_code = commonest.partnership_code
