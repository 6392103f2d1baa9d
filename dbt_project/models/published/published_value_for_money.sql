{{ config(indexes=[
    {
        'columns': [
            'cut', 'end_financial_year', 'area_level', 'area_code', 'breakdown', 'breakdown_value', 'outcome'
        ],
        'unique': true
    }
]) }}

with areas as (
    {{ named_areas() }}
),

-- Numbered in an order that is the same within each line, so that equal counts of two outcomes are decided alike.
figures as (
    select
        figures.*,
        row_number() over (
            order by
                figures.cut, figures.end_financial_year, figures.outcome, figures.breakdown, figures.breakdown_value,
                figures.area_level, figures.area_code
        ) as figure_id,
        coalesce(areas.area_name, 'Not known') as area_name,
        concat_ws(' ', figures.cut, figures.area_level, figures.area_code) as place,
        concat_ws(' ', figures.breakdown, figures.breakdown_value) as part,
        figures.cut || ' ' || {{ wider_place('figures.area_level') }} as wider_place
    from {{ ref('rpt_value_for_money') }} as figures
    left join areas on figures.area_level = areas.area_level and figures.area_code = areas.area_code
    -- Parts of an authority are too small: most would be withheld, and the totals with them. The cut alcohol only has
    -- one drug group.
    where
        figures.certainty = 'balanced'
        and (figures.breakdown = 'all' or figures.area_level != 'authority')
        and not (figures.cut = 'alcohol only' and figures.breakdown = 'drug group')
),

cells as (
    select
        figures.figure_id,
        measure.name as measure,
        3 * figures.figure_id + measure.number as cell_id,
        concat_ws('|', measure.name, figures.end_financial_year, figures.outcome) as block,
        measure.count,
        measure.is_small,
        figures.breakdown = 'all' and figures.area_level != 'authority' as is_total,
        -- The parts of a place add up to it, in each breakdown, and places to the wider one. Those treated for alcohol
        -- only are counted twice, as a drug group and as a cut: withheld in one place, withheld in the other.
        (
            select array_agg(concat_ws('|', measure.name, figures.end_financial_year, figures.outcome, line.name))
            from
                unnest(
                    array[
                        case when figures.breakdown in ('all', 'pathway') then figures.place || ' by pathway' end,
                        case when figures.breakdown in ('all', 'drug group') then figures.place || ' by drug group' end,
                        {{ lines_over_places(['figures.part'], 'figures') }},
                        case
                            when
                                (figures.cut = 'adults' and figures.breakdown_value = 'alcohol only')
                                or (figures.cut = 'alcohol only' and figures.breakdown = 'all')
                                then concat_ws(' ', 'alcohol only', figures.area_level, figures.area_code)
                        end
                    ]
                ) as line (name)
            where line.name is not null
        ) as lines
    from figures
    cross join lateral (
        values
        (0, 'journeys_all', figures.journeys_all, {{ is_small('figures.journeys_all') }}),
        (1, 'journeys_linked', figures.journeys_linked, {{ is_small('figures.journeys_linked') }}),
        (
            2,
            'journeys_with_outcome',
            figures.journeys_with_outcome,
            case
                -- the journeys themselves are all of them
                when figures.outcome = 'journey' then {{ is_small('figures.journeys_with_outcome') }}
                else {{ is_telling('figures.journeys_with_outcome', 'figures.journeys_linked') }}
            end
        )
    ) as measure (number, name, count, is_small)
),

{{ decide_withheld('cells') }},

rounded as (
    {{ published_measures(['figure_id'], ['journeys_all', 'journeys_linked', 'journeys_with_outcome']) }}
),

-- Costs are made again of the rounded counts: the exact ones could be worked out of an exact cost for each outcome.
-- The interval is moved with its cost.
remade as (
    select
        figures.*,
        rounded.journeys_all as published_all,
        rounded.journeys_linked as published_linked,
        rounded.journeys_with_outcome as published_with_outcome,
        case when rounded.journeys_linked is not null then round(figures.mid_pounds_per_journey, -1) end
            as published_per_journey,
        case
            when rounded.journeys_linked is null or rounded.journeys_with_outcome is null then null
            else
                round(figures.mid_pounds_per_journey, -1) * rounded.journeys_linked
                / nullif(rounded.journeys_with_outcome * figures.mid_pounds, 0)
        end as remaking
    from figures
    inner join rounded on figures.figure_id = rounded.figure_id
)

select
    remade.cut,
    remade.end_financial_year,
    remade.area_level,
    remade.area_code,
    remade.area_name,
    remade.breakdown,
    remade.breakdown_value,
    remade.outcome,
    coalesce(definitions.title, 'Treatment journey') as outcome_title,
    remade.published_all as journeys_all,
    remade.published_linked as journeys_linked,
    remade.published_with_outcome as journeys_with_outcome,
    remade.published_per_journey::integer as mid_pounds_per_journey,
    round(remade.low_pounds * remade.remaking, -1)::integer as low_pounds,
    round(remade.mid_pounds * remade.remaking, -1)::integer as mid_pounds,
    round(remade.high_pounds * remade.remaking, -1)::integer as high_pounds,
    round(remade.mid_pounds_lower_95 * remade.remaking, -1)::integer as mid_pounds_lower_95,
    round(remade.mid_pounds_upper_95 * remade.remaking, -1)::integer as mid_pounds_upper_95,
    remade.remaking is null as is_suppressed,
    stale.stale_feeds
from remade
left join {{ ref('indicator_definitions') }} as definitions on remade.outcome = definitions.indicator
cross join {{ ref('int_stale_feeds') }} as stale
order by
    remade.cut, remade.end_financial_year, remade.area_level, remade.area_code, remade.breakdown,
    remade.breakdown_value, remade.outcome
