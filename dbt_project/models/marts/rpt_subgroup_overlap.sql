{{ config(indexes=[{'columns': ['certainty', 'financial_year', 'subgroup', 'other_subgroup'], 'unique': true}]) }}

-- Which groups a person was in, in a year and over all of them, as one number: persons are many, patterns at most 31.
with patterns as (
    select
        members.person_id,
        coalesce(members.financial_year, 'all years') as financial_year,
        bit_or(1 << subgroups.position) as pattern,
        bool_or(members.is_heroin_or_crack_user) as is_user
    from {{ ref('int_subgroup_members') }} as members
    inner join {{ ref('drug_data_warehouse_subgroups') }} as subgroups on members.subgroup = subgroups.subgroup
    group by grouping sets ((members.person_id, members.financial_year), (members.person_id))
),

persons as (
    select
        {{ certainties_of('standing') }} as certainties,
        patterns.financial_year,
        patterns.pattern,
        count(*) as persons,
        count(*) filter (where patterns.is_user) as users
    from patterns
    inner join {{ ref('int_person_standing') }} as standing on patterns.person_id = standing.person_id
    group by {{ certainties_of('standing') }}, patterns.financial_year, patterns.pattern
),

members as (
    select
        each.certainty,
        persons.financial_year,
        persons.pattern,
        sum(persons.persons) as persons,
        sum(persons.users) as users
    from persons
    cross join lateral unnest(string_to_array(persons.certainties, ';')) as each (certainty)
    group by each.certainty, persons.financial_year, persons.pattern
),

shared as (
    select
        members.certainty,
        members.financial_year,
        subgroups.subgroup,
        partners.subgroup as other_subgroup,
        sum(members.persons) as persons_in_both,
        sum(members.users) as users_in_both
    from members
    inner join {{ ref('drug_data_warehouse_subgroups') }} as subgroups
        on members.pattern & (1 << subgroups.position) != 0
    inner join {{ ref('drug_data_warehouse_subgroups') }} as partners
        on members.pattern & (1 << partners.position) != 0
    group by members.certainty, members.financial_year, subgroups.subgroup, partners.subgroup
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
