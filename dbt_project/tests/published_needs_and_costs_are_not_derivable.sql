-- No withheld count of published_needs_assessment or published_value_for_money may be the only one missing among cells
-- that add up: the answers to a question and all people, the parts of a breakdown and the whole, the places within a
-- place and the place; nor stand open where the same people are counted once more.
with places as (
    select
        'authority' as area_level,
        area_code,
        'region ' || region_code as wider_place
    from {{ ref('dim_area') }}

    union all

    select distinct
        'region' as area_level,
        region_code as area_code,
        'country ' || case when country = 'Wales' then 'W92000004' else 'E92000001' end as wider_place
    from {{ ref('dim_area') }}
),

cells as (
    select
        'needs' as product,
        concat_ws('|', cut, financial_year, population) as block,
        area_level,
        area_code,
        measure as question,
        category as answer,
        -- substances do not add up: a person may name several
        theme != 'substances' as is_part,
        measure = 'people' as is_whole,
        people as count
    from {{ ref('published_needs_assessment') }}
    where theme != 'unmet need' and measure != 'mean years'

    union all

    select
        'costs' as product,
        concat_ws('|', costs.cut, costs.end_financial_year, costs.outcome, measure.name) as block,
        costs.area_level,
        costs.area_code,
        costs.breakdown as question,
        costs.breakdown_value as answer,
        true as is_part,
        costs.breakdown = 'all' as is_whole,
        measure.count
    from {{ ref('published_value_for_money') }} as costs
    cross join lateral (
        values
        ('all', costs.journeys_all),
        ('linked', costs.journeys_linked),
        ('with outcome', costs.journeys_with_outcome)
    ) as measure (name, count)
),

questions as (
    select distinct
        product,
        block,
        area_level,
        area_code,
        question
    from cells
    where is_part and not is_whole
),

over_answers as (
    select
        concat_ws('|', parts.product, parts.block, parts.area_level, parts.area_code, parts.question) as line,
        parts.count
    from cells as parts
    where parts.is_part and not parts.is_whole

    union all

    select
        concat_ws('|', wholes.product, wholes.block, wholes.area_level, wholes.area_code, questions.question) as line,
        wholes.count
    from cells as wholes
    inner join questions
        on
            wholes.product = questions.product
            and wholes.block = questions.block
            and wholes.area_level = questions.area_level
            and wholes.area_code = questions.area_code
    where wholes.is_whole
),

over_places as (
    select
        concat_ws('|', cells.product, cells.block, cells.question, cells.answer, place.name) as line,
        cells.count
    from cells
    left join places on cells.area_level = places.area_level and cells.area_code = places.area_code
    cross join
        lateral (
            values
            (
                case cells.area_level
                    when 'authority' then coalesce(places.wider_place, 'region unknown')
                    when 'region' then coalesce(places.wider_place, 'country E92000001')
                end
            ),
            (case when cells.area_level != 'authority' then cells.area_level || ' ' || cells.area_code end)
        ) as place (name)
    where place.name is not null
),

counted_twice as (
    select
        concat_ws('|', product, replace(block, 'alcohol only|', 'adults|'), area_level, area_code) as line,
        count
    from cells
    where
        (block like 'alcohol only|%' and is_whole)
        or (block like 'adults|%' and question = 'drug group' and answer = 'alcohol only')
)

-- A breakdown that is not shown of a place leaves its whole alone in the line, and gives nothing away.
select line
from over_answers
group by line
having count(*) - count(count) = 1 and count(*) > 1

union all

select line
from over_places
group by line
having count(*) - count(count) = 1 and count(*) > 1

union all

select line
from counted_twice
group by line
having count(*) - count(count) = 1 and count(*) > 1
