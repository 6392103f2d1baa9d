-- No withheld count of published_recovery_outcomes may be the only one missing among cells that add up: the drug groups
-- of an area and all of them, or the areas within an area and the whole.
with cells as (
    select
        measure.name as measure,
        measure.count,
        outcomes.outcome,
        outcomes.end_financial_year,
        outcomes.area_level,
        outcomes.area_code,
        outcomes.drug_group,
        case outcomes.area_level
            when 'authority' then coalesce(areas.region_code, 'unknown')
            when 'region' then 'all'
        end as parent_area_code
    from {{ ref('published_recovery_outcomes') }} as outcomes
    left join {{ ref('dim_area') }} as areas on outcomes.area_code = areas.area_code
    cross join lateral (
        values
        ('journeys_all', outcomes.journeys_all),
        ('journeys_linked', outcomes.journeys_linked),
        ('journeys_with_outcome', outcomes.journeys_with_outcome)
    ) as measure (name, count)
),

over_drug_groups as (
    select concat_ws('|', measure, outcome, end_financial_year, area_level, area_code) as line
    from cells
    group by measure, outcome, end_financial_year, area_level, area_code
    having count(*) - count(count) = 1 and count(*) > 1
),

area_lines as (
    select
        measure,
        outcome,
        end_financial_year,
        drug_group,
        parent_area_code as whole,
        count
    from cells
    where parent_area_code is not null

    union all

    select
        measure,
        outcome,
        end_financial_year,
        drug_group,
        area_code as whole,
        count
    from cells
    where area_level != 'authority'
)

select line
from over_drug_groups

union all

select concat_ws('|', measure, outcome, end_financial_year, drug_group, whole) as line
from area_lines
group by measure, outcome, end_financial_year, drug_group, whole
having count(*) - count(count) = 1 and count(*) > 1
