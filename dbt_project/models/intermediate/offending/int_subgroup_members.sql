-- In which financial years each person belonged to a group of the Drug Data Warehouse, as far as feeds tell. What is
-- still going on counts up to the night.
with spells as (
    select
        person_id,
        'treatment' as subgroup,
        start_date,
        end_date
    from {{ ref('int_treatment_journeys') }}

    union all

    select
        person_id,
        'probation or prison' as subgroup,
        start_date,
        end_date
    from {{ ref('int_time_in_custody') }}

    union all

    select
        person_id,
        'probation or prison' as subgroup,
        disposal_date as start_date,
        disposal_date as end_date
    from {{ ref('int_proven_offences') }}
    where is_community_order

    union all

    select
        person_id,
        'test on arrest' as subgroup,
        arrest_date as start_date,
        arrest_date as end_date
    from {{ ref('int_arrests') }}
    where is_tested

    union all

    select
        episodes.person_id,
        'programme in the community' as subgroup,
        coalesce(episodes.referral_date, episodes.triage_date) as start_date,
        coalesce(episodes.referral_date, episodes.triage_date) as end_date
    from {{ ref('int_treatment_episodes') }} as episodes
    inner join {{ ref('referral_sources') }} as sources on episodes.referral_source_code = sources.referral_source_code
    where sources.is_arrest_referral

    union all

    select
        person_id,
        'priority offender' as subgroup,
        start_date,
        end_date
    from {{ ref('int_priority_spells') }}
),

users as (
    select person_id
    from {{ ref('int_treatment_episodes') }}
    where has_heroin_or_crack

    union

    select person_id
    from {{ ref('int_arrests') }}
    where is_positive
)

select distinct
    spells.person_id,
    spells.subgroup,
    {{ financial_year('years.first_day') }} as financial_year,
    users.person_id is not null as is_heroin_or_crack_user
from spells
cross join
    lateral generate_series(
        {{ financial_year_start('spells.start_date') }}::timestamp,
        {{ financial_year_start('coalesce(spells.end_date, ' ~ night() ~ ')') }}::timestamp,
        interval '1 year'
    ) as years (first_day)
left join users on spells.person_id = users.person_id
