{{ config(indexes=[{'columns': ['certainty', 'financial_year', 'subgroup', 'other_subgroup'], 'unique': true}]) }}

with members as (
    select distinct
        certainties.certainty,
        periods.financial_year,
        members.subgroup,
        members.person_id,
        members.is_heroin_or_crack_user
    from {{ ref('int_subgroup_members') }} as members
    inner join {{ ref('int_person_certainties') }} as certainties on members.person_id = certainties.person_id
    cross join
        lateral (
            values
            (members.financial_year),
            ('all years')
        ) as periods (financial_year)
),

shared as (
    select
        members.certainty,
        members.financial_year,
        members.subgroup,
        partners.subgroup as other_subgroup,
        count(*) as persons_in_both,
        count(*) filter (where members.is_heroin_or_crack_user) as users_in_both
    from members
    inner join members as partners
        on
            members.certainty = partners.certainty
            and members.financial_year = partners.financial_year
            and members.person_id = partners.person_id
    group by members.certainty, members.financial_year, members.subgroup, partners.subgroup
),

periods as (
    select distinct
        certainty,
        financial_year
    from members
),

-- Every pair has its row in every period, also where nobody is in both; a group that no feed knows has no counts.
pairs as (
    select
        periods.certainty,
        periods.financial_year,
        subgroups.subgroup,
        partners.subgroup as other_subgroup,
        case
            when 'no' in (subgroups.availability, partners.availability) then 'no'
            when 'partly' in (subgroups.availability, partners.availability) then 'partly'
            else 'yes'
        end as availability
    from periods
    cross join {{ ref('drug_data_warehouse_subgroups') }} as subgroups
    cross join {{ ref('drug_data_warehouse_subgroups') }} as partners
),

counted as (
    select
        pairs.*,
        case when pairs.availability != 'no' then coalesce(sizes.persons_in_both, 0) end as persons,
        case when pairs.availability != 'no' then coalesce(shared.persons_in_both, 0) end as persons_in_both,
        case when pairs.availability != 'no' then coalesce(shared.users_in_both, 0) end as users_in_both
    from pairs
    left join shared as sizes
        on
            pairs.certainty = sizes.certainty
            and pairs.financial_year = sizes.financial_year
            and pairs.subgroup = sizes.subgroup
            and pairs.subgroup = sizes.other_subgroup
    left join shared
        on
            pairs.certainty = shared.certainty
            and pairs.financial_year = shared.financial_year
            and pairs.subgroup = shared.subgroup
            and pairs.other_subgroup = shared.other_subgroup
)

select
    certainty,
    financial_year,
    subgroup,
    other_subgroup,
    availability,
    persons::integer as persons,
    persons_in_both::integer as persons_in_both,
    round(100.0 * persons_in_both / nullif(persons, 0), 1) as percent_in_both,
    users_in_both::integer as heroin_or_crack_users_in_both,
    round(100.0 * users_in_both / nullif(persons_in_both, 0), 1) as percent_heroin_or_crack
from counted
order by certainty, financial_year, subgroup, other_subgroup
