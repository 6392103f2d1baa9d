{{ config(indexes=[{'columns': ['date_day'], 'unique': true}]) }}

-- From the first day the warehouse keeps to the end of the financial year after next, so that observable-on days have
-- their row too.
with days as (
    select day::date as date_day
    from generate_series(
        date '{{ var("calendar_from") }}',
        date_trunc('year', {{ night() }} + interval '9 months') + interval '2 years 3 months' - interval '1 day',
        interval '1 day'
    ) as day
)

select
    date_day,
    date_trunc('month', date_day)::date as month_start,
    (date_trunc('month', date_day) + interval '1 month' - interval '1 day')::date as month_end,
    date_trunc('quarter', date_day)::date as quarter_start,
    extract(year from date_day)::integer as calendar_year,
    {{ financial_year('date_day') }} as financial_year,
    extract(quarter from date_day - interval '3 months')::integer as financial_quarter,
    extract(isodow from date_day)::integer as day_of_week,
    extract(isodow from date_day) >= 6 as is_weekend
from days
order by date_day
