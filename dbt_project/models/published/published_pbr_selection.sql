{{ config(indexes=[
    {'columns': ['cut', 'area_level', 'area_code', 'provider_code', 'complexity_group'], 'unique': true}
]) }}

with areas as (
    {{ named_areas() }}
),

-- Providers are too small to be shown by complexity; cuts other than adults are shown for countries alone.
summed as (
    select
        cut,
        area_level,
        area_code,
        provider_code,
        min(period_start) as period_start,
        max(period_end) as period_end,
        coalesce(complexity_group, 'all') as complexity_group,
        coalesce(max(complexity_position) filter (where complexity_group is not null), 0) as complexity_position,
        sum(referred)::integer as referred,
        sum(taken_on)::integer as taken_on
    from {{ ref('rpt_pbr_complexity_mix') }}
    where certainty = 'balanced' and (cut = 'adults' or area_level = 'country')
    group by cut, area_level, area_code, provider_code, grouping sets ((complexity_group), ())
    having complexity_group is null or area_level != 'provider'
),

placed as (
    select
        summed.*,
        row_number() over (
            order by
                summed.cut, summed.complexity_position, summed.area_level, summed.area_code, summed.provider_code
        ) as cell_id,
        case
            when summed.area_level = 'provider' then 'All areas'
            else coalesce(areas.area_name, 'Not known')
        end as area_name,
        concat_ws(' ', summed.area_level, summed.area_code) as place,
        {{ wider_place('summed.area_level') }} as wider_place
    from summed
    left join areas on summed.area_level = areas.area_level and summed.area_code = areas.area_code
),

cells as (
    select
        cell_id,
        cut as block,
        taken_on as count,
        complexity_group = 'all' or area_level = 'country' as is_total,
        {{ is_small('taken_on') }} as is_small,
        -- Complexity groups add up to all of them, places to the wider one, and all providers to the country.
        array_remove(
            array[
                concat_ws('|', cut, place, provider_code, 'over groups'),
                {{ lines_over_places(['cut', 'complexity_group']) }},
                case
                    when cut = 'adults' and complexity_group = 'all' and area_level in ('country', 'provider')
                        then concat_ws('|', cut, 'over providers')
                end
            ],
            null
        ) as lines
    from placed
),

{{ decide_withheld('cells') }},

rounded as (
    select
        placed.*,
        decided_cells.is_withheld,
        {{ published_count('placed.referred', 'decided_cells.is_withheld') }} as referred_published,
        {{ published_count('placed.taken_on', 'decided_cells.is_withheld') }} as taken_on_published
    from placed
    inner join decided_cells
        on placed.cell_id = decided_cells.cell_id
),

shared as (
    select
        *,
        max(referred_published) filter (where complexity_group = 'all') over unit as all_referred,
        max(taken_on_published) filter (where complexity_group = 'all') over unit as all_taken_on,
        -- The difference of a few people who were turned away would tell how many they were.
        bool_or(is_withheld or {{ is_small('referred - taken_on') }}) filter (where complexity_group = 'all') over unit
            as is_difference_withheld
    from rounded
    window unit as (partition by cut, area_level, area_code, provider_code)
)

select
    shared.cut,
    shared.area_level,
    shared.area_code,
    shared.area_name,
    shared.provider_code,
    shared.period_start,
    shared.period_end,
    shared.complexity_group,
    shared.complexity_position,
    shared.referred_published as referred,
    shared.taken_on_published as taken_on,
    (100.0 * shared.referred_published / nullif(shared.all_referred, 0))::numeric(5, 1) as percent_of_referred,
    (100.0 * shared.taken_on_published / nullif(shared.all_taken_on, 0))::numeric(5, 1) as percent_of_taken_on,
    {%- for column in ['difference', 'difference_lower_95', 'difference_upper_95'] %}
        case when not shared.is_difference_withheld then tests.{{ column }}::numeric(5, 1) end as {{ column }},
    {%- endfor %}
    case when not shared.is_difference_withheld then tests.p_value::numeric(5, 3) end as p_value,
    case when not shared.is_difference_withheld then tests.method end as method,
    tests.finding,
    tests.note,
    shared.is_withheld as is_suppressed,
    stale.stale_feeds
from shared
inner join {{ ref('rpt_pbr_selection') }} as tests
    on
        shared.cut = tests.cut
        and shared.area_level = tests.area_level
        and shared.area_code = tests.area_code
        and shared.provider_code = tests.provider_code
        and tests.certainty = 'balanced'
cross join {{ ref('int_stale_feeds') }} as stale
order by
    shared.cut, shared.area_level, shared.area_code, shared.provider_code, shared.complexity_position
