-- A provider belongs where most of its clients live.
select
    episodes.provider_code,
    mode() within group (order by episodes.partnership_code) as partnership_code,
    mode() within group (order by areas.area_code) as area_code,
    min(episodes.triage_date) as first_triage_date,
    max(episodes.triage_date) as last_triage_date,
    count(*) as episode_count
from {{ ref('int_treatment_episodes') }} as episodes
left join {{ ref('int_area_lookup') }} as areas on episodes.local_authority_code = areas.local_authority_code
where {{ balanced('episodes.person_id') }}
group by episodes.provider_code
