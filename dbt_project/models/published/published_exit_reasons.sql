with areas as (
    {{ named_areas() }}
),

-- Single providers are too small: most reasons would be withheld, and the totals with them.
placed as (
    select
        exits.*,
        row_number() over (
            order by
                exits.end_financial_year, exits.drug_group, exits.exit_reason, exits.area_level, exits.area_code
        ) as cell_id,
        coalesce(areas.area_name, 'Not known') as area_name,
        concat_ws(' ', exits.area_level, exits.area_code) as place,
        {{ wider_place('exits.area_level') }} as wider_place
    from {{ ref('rpt_exit_reasons') }} as exits
    left join areas on exits.area_level = areas.area_level and exits.area_code = areas.area_code
    where exits.certainty = 'balanced' and exits.area_level != 'provider'
),

cells as (
    select
        cell_id,
        end_financial_year as block,
        journeys as count,
        exit_reason = 'all' and (drug_group = 'all' or area_level in ('country', 'region')) as is_total,
        {{ is_small('journeys') }} as is_small,
        -- The reasons of a place add up to all of them, so do its drug groups, and the places within a wider one.
        array_remove(
            array[
                concat_ws('|', end_financial_year, place, drug_group, 'over reasons'),
                concat_ws('|', end_financial_year, place, 'over drug groups', exit_reason),
                {{ lines_over_places(['end_financial_year', 'drug_group', 'exit_reason']) }}
            ],
            null
        ) as lines
    from placed
),

{{ decide_withheld('cells') }},

rounded as (
    select
        placed.*,
        {{ published_count('placed.journeys', 'decided_cells.is_withheld') }} as journeys_published,
        {{ published_count(
            'placed.journeys_with_reason', 'decided_cells.is_withheld or ' ~ is_small('placed.journeys_with_reason')
        ) }} as with_reason_published
    from placed
    inner join decided_cells
        on placed.cell_id = decided_cells.cell_id
)

select
    rounded.end_financial_year,
    rounded.area_level,
    rounded.area_code,
    rounded.area_name,
    rounded.drug_group,
    rounded.exit_reason,
    rounded.outcome_group,
    rounded.journeys_published as journeys,
    case
        -- `least` would take the other value for a count that is withheld
        when rounded.exit_reason = 'missing' or rounded.journeys_published is null then null
        when rounded.exit_reason = 'all' then 100.0
        else least(100.0 * rounded.journeys_published / nullif(rounded.with_reason_published, 0), 100.0)
    end::numeric(5, 1) as percent,
    rounded.journeys_published is null as is_suppressed,
    rounded.is_complete,
    stale.stale_feeds
from rounded
cross join {{ ref('int_stale_feeds') }} as stale
order by
    rounded.end_financial_year, rounded.area_level, rounded.area_code, rounded.drug_group, rounded.exit_reason
