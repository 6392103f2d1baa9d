{{ config(indexes=[
    {'columns': ['financial_year', 'cut', 'area_level', 'area_code', 'provider_code', 'domain'], 'unique': true}
]) }}

with areas as (
    {{ named_areas() }}
),

-- Each domain and all of them. Cuts other than adults are shown for countries alone: their difference from the adults
-- of a small place would tell of the few others there.
summed as (
    select
        cut,
        financial_year,
        area_level,
        area_code,
        provider_code,
        coalesce(domain, 'all') as domain,
        sum(outcomes_paid)::integer as outcomes_paid,
        sum(outcomes_answered)::integer as outcomes_answered,
        sum(amount)::bigint as amount
    from {{ ref('rpt_pbr_payments') }}
    where certainty = 'balanced' and (cut = 'adults' or area_level = 'country') and outcomes_answered > 0
    group by cut, financial_year, area_level, area_code, provider_code, grouping sets ((domain), ())
),

placed as (
    select
        summed.*,
        row_number() over (
            order by
                summed.cut, summed.financial_year, summed.domain, summed.area_level, summed.area_code,
                summed.provider_code
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
        concat_ws('|', cut, financial_year) as block,
        outcomes_paid as count,
        domain = 'all' or area_level = 'country' as is_total,
        {{ is_small('outcomes_paid') }} as is_small,
        -- The domains of a place or provider add up to all of them; so do the places within a wider one, and all
        -- providers to the country.
        array_remove(
            array[
                concat_ws('|', cut, financial_year, place, provider_code, 'over domains'),
                {{ lines_over_places(['cut', 'financial_year', 'domain']) }},
                case
                    when cut = 'adults' and area_level in ('country', 'provider')
                        then concat_ws('|', cut, financial_year, 'over providers', domain)
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
        {{ published_count('placed.outcomes_paid', 'decided_cells.is_withheld') }} as paid_published,
        {{ published_count(
            'placed.outcomes_answered', 'decided_cells.is_withheld or ' ~ is_small('placed.outcomes_answered')
        ) }} as answered_published
    from placed
    inner join decided_cells
        on placed.cell_id = decided_cells.cell_id
)

select
    rounded.financial_year,
    rounded.cut,
    rounded.area_level,
    rounded.area_code,
    rounded.area_name,
    rounded.provider_code,
    rounded.domain,
    rounded.paid_published as outcomes_paid,
    rounded.answered_published as outcomes_answered,
    (100.0 * rounded.paid_published / nullif(rounded.answered_published, 0))::numeric(5, 1) as percent_paid,
    {{ wilson_bound('rounded.paid_published', 'rounded.answered_published', '-') }} as percent_paid_lower_95,
    {{ wilson_bound('rounded.paid_published', 'rounded.answered_published', '+') }} as percent_paid_upper_95,
    -- Rounded so far that it tells no more of the count than the count that is published.
    case when rounded.paid_published is not null then (round(rounded.amount / 500.0) * 500)::bigint end as amount,
    rounded.paid_published is null as is_suppressed,
    {{ financial_year(covered_until(['treatment', 'police'])) }} > rounded.financial_year as is_complete,
    stale.stale_feeds
from rounded
cross join {{ ref('int_feed_coverage') }} as coverage
cross join {{ ref('int_stale_feeds') }} as stale
order by
    rounded.financial_year, rounded.cut, rounded.area_level, rounded.area_code, rounded.provider_code, rounded.domain
