-- On which lists of opiate and crack users a person was in a financial year. Lists that name no drug (prison, housing)
-- take in whoever a record of an earlier year shows to be a user: evidence of the same year would tie them to the
-- other lists. Seed prevalence_evidence says what counts.
with spells as (
    select
        episodes.person_id,
        case when community.episode_id is null then 'prison treatment' else 'community treatment' end as evidence,
        episodes.triage_date as start_date,
        coalesce(episodes.discharge_date, {{ night() }}) as end_date,
        episodes.local_authority_code
    from {{ ref('int_treatment_episodes') }} as episodes
    left join {{ ref('int_community_treatment') }} as community on episodes.episode_id = community.episode_id
    where episodes.has_opiate or episodes.has_heroin_or_crack

    union all

    select
        person_id,
        case when opiate_result = 'positive' then 'opiate test' else 'cocaine test' end as evidence,
        arrest_date as start_date,
        arrest_date as end_date,
        null as local_authority_code
    from {{ ref('int_arrests') }}
    where is_positive

    union all

    select
        person_id,
        case when offence_subclass = 51 then 'possession of heroin' else 'possession of crack' end as evidence,
        offence_date as start_date,
        offence_date as end_date,
        null as local_authority_code
    from {{ ref('int_proven_offences') }}
    where offence_class = 92 and offence_subclass in (51, 54)

    union all

    select
        person_id,
        'in prison' as evidence,
        start_date,
        coalesce(end_date, {{ night() }}) as end_date,
        null as local_authority_code
    from {{ ref('int_time_in_custody') }}

    union all

    select
        person_id,
        evidence,
        start_date,
        coalesce(end_date, {{ night() }}) as end_date,
        local_authority_code
    from {{ ref('int_housing_drug_needs') }}
),

-- A spell that ends before it starts is an error of the record: the day it starts stands.
listed as (
    select
        spells.person_id,
        evidence.list,
        evidence.shows_use,
        evidence.needs_earlier_evidence,
        spells.start_date,
        greatest(spells.end_date, spells.start_date) as end_date,
        areas.area_code
    from spells
    inner join {{ ref('prevalence_evidence') }} as evidence on spells.evidence = evidence.evidence
    left join {{ ref('int_area_lookup') }} as areas on spells.local_authority_code = areas.local_authority_code
    where evidence.is_counted and spells.start_date is not null
),

users as (
    select
        person_id,
        min(start_date) as known_from
    from listed
    where shows_use
    group by person_id
),

person_years as (
    select
        listed.person_id,
        years.first_day::date as year_start,
        listed.list,
        min(listed.area_code) as area_code
    from listed
    inner join users on listed.person_id = users.person_id
    cross join
        lateral generate_series(
            {{ financial_year_start('listed.start_date') }}::timestamp,
            {{ financial_year_start('listed.end_date') }}::timestamp,
            interval '1 year'
        ) as years (first_day)
    where not listed.needs_earlier_evidence or users.known_from < years.first_day
    group by listed.person_id, years.first_day, listed.list
)

select
    person_years.person_id,
    person_years.year_start,
    {{ financial_year('person_years.year_start') }} as financial_year,
    extract(year from person_years.year_start)::integer - persons.birth_year as age,
    bool_or(person_years.list = 'treatment') as is_in_treatment,
    bool_or(person_years.list = 'police') as is_in_police,
    bool_or(person_years.list = 'custody') as is_in_custody,
    bool_or(person_years.list = 'housing') as is_in_housing,
    -- treatment knows best where its clients live, then housing; of the others police know an address
    coalesce(
        min(person_years.area_code) filter (where person_years.list = 'treatment'),
        min(person_years.area_code) filter (where person_years.list = 'housing'),
        min(person_years.area_code),
        min(residence.area_code)
    ) as area_code
from person_years
inner join {{ ref('int_persons') }} as persons on person_years.person_id = persons.person_id
-- where the person lived when the year ended, by what police had learnt
left join {{ ref('int_police_residence') }} as residence
    on
        person_years.person_id = residence.person_id
        and {{ financial_year_end('person_years.year_start') }}
        between residence.start_date and {{ or_open('residence.end_date') }}
-- an agency may hold a spell open after the death that another one reported
where person_years.year_start <= {{ or_open('persons.death_date') }}
group by person_years.person_id, person_years.year_start, persons.birth_year
