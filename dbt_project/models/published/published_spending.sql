{{ config(indexes=[
    {'columns': ['financial_year', 'area_level', 'area_code', 'funding_stream'], 'unique': true}
]) }}

-- Money beside what is published of the people: nothing here says more of them than published_needs_assessment does.
with areas as (
    {{ named_areas() }}
),

spent as (
    select
        spending.financial_year,
        places.area_level,
        places.area_code,
        spending.funding_stream,
        sum(spending.pounds) as pounds,
        bool_or(spending.certainty = 'assumed') as is_illustrative
    from {{ ref('treatment_spending') }} as spending
    inner join areas on spending.area_code = areas.area_code
    left join areas as regions on areas.area_level = 'authority' and areas.wider_place = 'region ' || regions.area_code
    cross join
        lateral (
            values
            (areas.area_level, areas.area_code),
            (split_part(areas.wider_place, ' ', 1), split_part(areas.wider_place, ' ', 2)),
            (split_part(regions.wider_place, ' ', 1), split_part(regions.wider_place, ' ', 2))
        ) as places (area_level, area_code)
    where places.area_code != ''
    group by spending.financial_year, places.area_level, places.area_code, spending.funding_stream
),

-- Every stream, and all of them together, which is what the people can be set against.
streams as (
    select
        financial_year,
        area_level,
        area_code,
        coalesce(funding_stream, 'all') as funding_stream,
        sum(pounds)::bigint as pounds,
        bool_or(is_illustrative) as is_illustrative
    from spent
    group by financial_year, area_level, area_code, grouping sets ((funding_stream), ())
),

people as (
    select
        financial_year,
        area_level,
        area_code,
        max(people) filter (where population = 'in treatment' and measure = 'people') as people_in_treatment,
        max(people) filter (where population = 'left treatment' and measure = 'people') as people_who_left,
        max(people) filter (
            where population = 'left treatment' and measure = 'discharge' and category = 'successful'
        ) as people_who_completed
    from {{ ref('published_needs_assessment') }}
    where cut = 'adults'
    group by financial_year, area_level, area_code
)

select
    streams.financial_year,
    streams.area_level,
    streams.area_code,
    areas.area_name,
    streams.funding_stream,
    streams.pounds,
    people.people_in_treatment,
    people.people_who_completed,
    case
        when streams.funding_stream = 'all'
            then round(1.0 * streams.pounds / nullif(people.people_in_treatment, 0))
    end::integer as pounds_per_person_in_treatment,
    case
        when streams.funding_stream = 'all'
            then round(1.0 * streams.pounds / nullif(people.people_who_completed, 0))
    end::integer as pounds_per_completion,
    -- what chance does to the number of completions among those who left; the money is taken as it is
    {%- for side, bound in [('+', 'lower'), ('-', 'upper')] %}
        case
            when streams.funding_stream = 'all' and people.people_who_completed <= people.people_who_left
                then
                    round(
                        streams.pounds / nullif(
                            people.people_who_left
                            * {{ wilson_share_bound('people.people_who_completed', 'people.people_who_left', side) }},
                            0
                        )
                    )
        end::integer as pounds_per_completion_{{ bound }}_95,
    {%- endfor %}
    streams.is_illustrative
from streams
inner join areas on streams.area_level = areas.area_level and streams.area_code = areas.area_code
left join people
    on
        streams.financial_year = people.financial_year
        and streams.area_level = people.area_level
        and streams.area_code = people.area_code
order by streams.financial_year, streams.area_level, streams.area_code, streams.funding_stream
