-- A period that began before the first event, or ended after what a feed is known for, would count too little.
with covered as (
    select
        definitions.indicator,
        definitions.period,
        min(coverage.coverage_end) as covered_until
    from {{ ref('indicator_definitions') }} as definitions
    cross join lateral unnest(string_to_array(definitions.feeds, ';')) as needed (feed)
    left join {{ ref('stg_ops__feed_coverage') }} as coverage on needed.feed = coverage.feed
    where definitions.measure is not null
    group by definitions.indicator, definitions.period
    having count(*) = count(coverage.feed)
),

begun as (
    select
        indicator,
        min(counts_from) as first_day
    from {{ ref('int_indicator_events') }}
    group by indicator

    union all

    select
        indicator,
        min(counts_from) as first_day
    from {{ ref('int_indicator_deaths') }}
    group by indicator
),

months as (
    select
        covered.indicator,
        covered.period,
        covered.covered_until,
        begun.first_day,
        periods.kept_years,
        month.first::date as period_start,
        (month.first + make_interval(months => periods.length_months) - interval '1 day')::date as period_end
    from covered
    inner join begun on covered.indicator = begun.indicator
    inner join {{ ref('indicator_periods') }} as periods on covered.period = periods.period
    cross join
        lateral generate_series(
            date_trunc('month', begun.first_day), covered.covered_until, interval '1 month'
        ) as month (first)
    where mod(extract(month from month.first)::integer - periods.first_month + 12, periods.step_months) = 0
)

select
    indicator,
    period,
    period_start,
    period_end
from months
where
    first_day <= period_start
    and covered_until >= period_end
    and period_end > {{ add_months(night(), '-12 * kept_years') }}
