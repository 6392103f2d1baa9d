{{ config(materialized='view') }}

-- Under-18s are kept apart, as NDTMS does; the other cuts are of adults. Age is the age reached in the year of the
-- start, from the year of birth alone; who has none was reported to the adult collection.
with adults as (
    select
        journey_id,
        person_id,
        drug_group,
        has_children_at_home,
        coalesce(age_at_start >= 18, true) as is_adult
    from {{ ref('int_journey_profiles') }}
)

select
    adults.journey_id,
    adults.person_id,
    cuts.cut
from adults
cross join
    lateral (
        values
        ('adults', adults.is_adult),
        ('under 18', not adults.is_adult),
        ('alcohol only', adults.is_adult and adults.drug_group = 'alcohol only'),
        ('parents', adults.is_adult and adults.has_children_at_home)
    ) as cuts (cut, is_in)
where cuts.is_in
