{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Times in prison with what is known of a need for treatment, and what followed the release. Nothing here depends on
-- how far the feeds reach.
with stays as (
    select
        custody.*,
        {{ surrogate_key(['custody.person_id', 'custody.start_date']) }} as custody_id,
        deaths.death_date,
        {{ add_months('custody.start_date', '-lookback.window_length') }} as need_from,
        custody.end_date + follow_up.window_length as follow_up_ends_on
    from {{ ref('int_time_in_custody') }} as custody
    inner join {{ ref('indicator_definitions') }} as lookback on lookback.indicator = 'custody_need_lookback'
    inner join {{ ref('indicator_definitions') }} as follow_up on follow_up.indicator = 'custody_to_community'
    left join {{ ref('int_deaths') }} as deaths on custody.person_id = deaths.person_id
    where {{ to_build('custody.person_id') }}
),

treated_inside as (
    select distinct stays.custody_id
    from stays
    inner join {{ ref('int_interventions') }} as interventions
        on
            stays.person_id = interventions.person_id
            and interventions.start_date < {{ or_open('stays.end_date') }}
            and stays.start_date <= {{ or_open('interventions.end_date') }}
    inner join {{ ref('modality_settings') }} as places on interventions.setting_code = places.setting_code
    where places.is_prison
),

tested as (
    select distinct stays.custody_id
    from stays
    inner join {{ ref('int_arrests') }} as arrests
        on stays.person_id = arrests.person_id and arrests.arrest_date between stays.need_from and stays.start_date
    where arrests.is_positive
),

community as (
    select
        stays.custody_id,
        bool_or(treatment.start_date < stays.start_date) as was_known_before,
        bool_or(
            treatment.start_date < {{ or_open('stays.end_date') }}
            and stays.need_from <= {{ or_open('treatment.end_date') }}
        ) as was_treated_around,
        bool_or(treatment.start_date <= stays.end_date and stays.end_date <= {{ or_open('treatment.end_date') }})
            as was_open_on_release,
        min(treatment.start_date) filter (
            where
            stays.end_date <= treatment.start_date
            and treatment.start_date <= {{ or_open('stays.death_date') }}
        ) as next_start_date
    from stays
    inner join {{ ref('int_community_treatment') }} as treatment on stays.person_id = treatment.person_id
    group by stays.custody_id
),

received_again as (
    select
        custody_id,
        lead(start_date) over (partition by person_id order by start_date) as next_reception_date
    from stays
)

select
    stays.custody_id,
    stays.person_id,
    stays.start_date as reception_date,
    stays.end_date as release_date,
    stays.is_sentenced,
    stays.is_released_to_community,
    stays.reported_by,
    stays.death_date,
    stays.follow_up_ends_on,
    residence.area_code,
    case
        when treated_inside.custody_id is not null then 'treatment in prison'
        when community.was_treated_around then 'community treatment'
        when tested.custody_id is not null then 'positive drug test'
    end as need_evidence,
    treated_inside.custody_id is not null or tested.custody_id is not null as has_need_at_reception,
    coalesce(community.was_known_before, false) as was_known_to_community_treatment,
    -- whose treatment went on has no need to start it anew
    case
        when community.was_open_on_release then stays.end_date
        when community.next_start_date <= stays.follow_up_ends_on then community.next_start_date
    end as engaged_on,
    coalesce(community.was_open_on_release, false) as was_open_on_release,
    case when received_again.next_reception_date <= stays.follow_up_ends_on then received_again.next_reception_date end
        as received_again_on
from stays
inner join received_again on stays.custody_id = received_again.custody_id
left join treated_inside on stays.custody_id = treated_inside.custody_id
left join tested on stays.custody_id = tested.custody_id
left join community on stays.custody_id = community.custody_id
left join {{ ref('int_police_residence') }} as residence
    on
        stays.person_id = residence.person_id
        and coalesce(stays.end_date, stays.start_date)
        between residence.start_date and {{ or_open('residence.end_date') }}
