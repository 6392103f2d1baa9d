{{ config(indexes=[
    {
        'columns': [
            'certainty', 'cut', 'financial_year', 'area_code', 'is_in_treatment', 'is_in_police', 'is_in_custody',
            'is_in_housing'
        ],
        'unique': true
    }
]) }}

-- The latest years that all four agencies are known for to their end.
with parameters as (
    select
        max(value) filter (where parameter = 'under_18_from') as under_18_from,
        max(value) filter (where parameter = 'adult_from') as adult_from,
        max(value) filter (where parameter = 'age_to') as age_to,
        max(value) filter (where parameter = 'years') as years
    from {{ ref('prevalence_parameters') }}
),

known as (
    select {{ covered_until(['treatment', 'police', 'custody', 'housing']) }} as covered_until
    from {{ ref('int_feed_coverage') }} as coverage
),

users as (
    select
        users.*,
        -- who has no year of birth is taken for an adult, as in the cuts of journeys
        case when users.age < parameters.adult_from then 'under 18' else 'adults' end as cut
    from {{ ref('int_prevalence_users') }} as users
    cross join parameters
    cross join known
    where
        coalesce(users.age, parameters.adult_from) between parameters.under_18_from and parameters.age_to
        and {{ financial_year_end('users.year_start') }} <= known.covered_until
        and {{ financial_year_end('users.year_start') }}
        > {{ add_months('known.covered_until', '-12 * parameters.years') }}
)

select
    certainties.certainty,
    users.cut,
    users.financial_year,
    coalesce(users.area_code, 'unknown') as area_code,
    users.is_in_treatment,
    users.is_in_police,
    users.is_in_custody,
    users.is_in_housing,
    count(*)::integer as persons
from users
inner join {{ ref('int_person_certainties') }} as certainties on users.person_id = certainties.person_id
where users.cut = 'adults' or certainties.certainty = 'balanced'
group by
    certainties.certainty, users.cut, users.financial_year, users.area_code, users.is_in_treatment,
    users.is_in_police, users.is_in_custody, users.is_in_housing
order by
    certainties.certainty, users.cut, users.financial_year, users.area_code, users.is_in_treatment,
    users.is_in_police, users.is_in_custody, users.is_in_housing
