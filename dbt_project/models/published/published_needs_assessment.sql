{{ config(indexes=[
    {
        'columns': ['cut', 'financial_year', 'area_level', 'area_code', 'population', 'measure', 'category'],
        'unique': true
    }
]) }}

with areas as (
    {{ named_areas() }}
),

-- Numbered in an order that is the same within each line, so that equal counts of two measures are decided alike.
figures as (
    select
        needs.*,
        row_number() over (
            order by
                needs.cut, needs.financial_year, needs.population, needs.measure, needs.category, needs.area_level,
                needs.area_code
        ) as figure_id,
        coalesce(areas.area_name, 'Not known') as area_name,
        concat_ws('|', needs.financial_year, needs.population) as block,
        concat_ws(' ', needs.cut, needs.area_level, needs.area_code) as place,
        concat_ws(' ', needs.measure, needs.category) as answer,
        needs.cut || ' ' || {{ wider_place('needs.area_level') }} as wider_place
    from {{ ref('rpt_needs_assessment') }} as needs
    left join areas on needs.area_level = areas.area_level and needs.area_code = areas.area_code
    where needs.certainty = 'balanced'
),

-- The answers to a question add up to all people, but for substances, of which a person may name several; places add up
-- to the wider one. Those treated for alcohol only are counted twice, as a drug group and as a cut: withheld in one
-- place, withheld in the other.
questions as (
    select distinct
        block,
        measure
    from figures
    where theme != 'substances' and measure not in ('people', 'mean years')
),

lines as (
    select
        figures.figure_id,
        figures.place || ' ' || figures.measure as line
    from figures
    inner join questions on figures.block = questions.block and figures.measure = questions.measure

    union all

    select
        figures.figure_id,
        figures.place || ' ' || questions.measure as line
    from figures
    inner join questions on figures.block = questions.block
    where figures.measure = 'people'

    union all

    select
        figures.figure_id,
        place.line
    from figures
    cross join lateral unnest(array[{{ lines_over_places(['figures.answer'], 'figures') }}]) as place (line)
    where place.line is not null

    union all

    select
        figure_id,
        concat_ws(' ', 'alcohol only', area_level, area_code) as line
    from figures
    where
        (cut = 'adults' and measure = 'drug group' and category = 'alcohol only')
        or (cut = 'alcohol only' and measure = 'people')
),

lines_of_figures as (
    select
        figures.figure_id,
        -- numbers name lines: there are many of them
        array_agg(hashtextextended(concat_ws('|', figures.block, lines.line), 0)) as lines
    from figures
    inner join lines on figures.figure_id = lines.figure_id
    group by figures.figure_id
),

-- A mean of years is no count: it goes with the number of people it is of.
cells as (
    select
        figures.figure_id as cell_id,
        figures.block,
        figures.people as count,
        figures.measure = 'people' or figures.area_level != 'authority' as is_total,
        -- nearly everyone naming a substance is as telling as nearly no one
        {{ is_small('figures.people') }}
        or (
            figures.theme = 'substances' and figures.people < figures.people_in_population
            and {{ is_small('figures.people_in_population - figures.people') }}
        ) as is_small,
        lines_of_figures.lines
    from figures
    inner join lines_of_figures on figures.figure_id = lines_of_figures.figure_id
    where figures.measure != 'mean years'
),

{{ decide_withheld('cells') }},

rounded as (
    select
        figures.*,
        {{ published_count('figures.people', 'decided_cells.is_withheld') }} as people_published
    from figures
    inner join decided_cells on figures.figure_id = decided_cells.cell_id
),

remade as (
    select
        figures.*,
        wholes.people_published as population_published,
        case figures.unit when 'years' then wholes.people_published else rounded.people_published end
            as people_published,
        -- `least` would take the other number for one that is withheld
        case
            when rounded.people_published is not null
                then least(rounded.people_published, wholes.people_published)
        end as share_of
    from figures
    left join rounded on figures.figure_id = rounded.figure_id
    left join rounded as wholes
        on figures.block = wholes.block and figures.place = wholes.place and wholes.measure = 'people'
),

valued as (
    select
        *,
        case unit
            when 'years' then case when population_published is not null then round(value, 1) end
            when 'people' then people_published
            else 100.0 * share_of / nullif(population_published, 0)
        end as value_published
    from remade
),

told as (
    select
        cut,
        financial_year,
        area_level,
        area_code,
        area_name,
        population,
        theme,
        measure,
        category,
        unit,
        people_published as people,
        population_published as people_in_population,
        value_published as value,
    {%- for side, bound in [('-', 'lower'), ('+', 'upper')] %}
        case
            when value_published is null or unit = 'people' then null
            when unit = 'years' then {{ bound }}_95
            else 100 * {{ wilson_share_bound('share_of', 'population_published', side) }}
        end as {{ bound }}_95{{ ',' if not loop.last }}
    {%- endfor %}
    from valued

    union all

    -- Unmet need: how many use opiates or crack, and how many of them nobody treats.
    select
        prevalence.cut,
        prevalence.financial_year,
        prevalence.area_level,
        prevalence.area_code,
        prevalence.area_name,
        'using opiates or crack' as population,
        'unmet need' as theme,
        estimate.measure,
        'all' as category,
        estimate.unit,
        prevalence.users_in_treatment as people,
        prevalence.estimated_users as people_in_population,
        estimate.value,
        estimate.lower_95,
        estimate.upper_95
    from {{ ref('published_prevalence') }} as prevalence
    cross join
        lateral (
            values
            ('people', 'people', prevalence.estimated_users, prevalence.lower_95, prevalence.upper_95),
            (
                'not in treatment', 'per cent', prevalence.percent_not_in_treatment,
                prevalence.percent_not_in_treatment_lower_95, prevalence.percent_not_in_treatment_upper_95
            )
        ) as estimate (measure, unit, value, lower_95, upper_95)
    where prevalence.certainty = 'balanced' and prevalence.area_level in ('country', 'region', 'authority')
)

select
    told.cut,
    told.financial_year,
    told.area_level,
    told.area_code,
    told.area_name,
    told.population,
    told.theme,
    told.measure,
    told.category,
    told.unit,
    told.people,
    told.people_in_population,
    told.value::numeric(12, 1) as value,
    told.lower_95::numeric(12, 1) as lower_95,
    told.upper_95::numeric(12, 1) as upper_95,
    told.value is null as is_suppressed,
    stale.stale_feeds
from told
cross join {{ ref('int_stale_feeds') }} as stale
order by
    told.cut, told.financial_year, told.area_level, told.area_code, told.population, told.theme, told.measure,
    told.category
