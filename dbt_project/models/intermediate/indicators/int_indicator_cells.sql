{%- set measures = [
    'numerator', 'numerator_squares', 'denominator', 'denominator_unlinked', 'units', 'units_with_event',
    'units_unlinked', 'units_waiting'
] -%}
-- Most of what ever happened is older than the periods that are reported.
with reported as (
    select
        indicator,
        min(period_start) as first_day
    from {{ ref('int_indicator_periods') }}
    group by indicator
),

counting as (
    select
        events.indicator,
        events.counted_in,
        events.certainties,
        events.area_code,
        events.provider_code,
        events.drug_group,
        events.sex,
        events.age_band,
        events.numerator,
        events.status_rank
    from {{ ref('int_indicator_events') }} as events
    inner join reported on events.indicator = reported.indicator and events.counted_in >= reported.first_day
    where not events.is_by_unit

    union all

    select
        indicator,
        period_start as counted_in,
        certainties,
        area_code,
        provider_code,
        drug_group,
        sex,
        age_band,
        numerator,
        status_rank
    from {{ ref('int_indicator_units') }}
),

-- Each unit is one in the denominator; alike units are counted before places and parts are.
counted as (
    select
        indicator,
        counted_in,
        certainties,
        area_code,
        provider_code,
        drug_group,
        sex,
        age_band,
        coalesce(sum(numerator) filter (where status_rank in (1, 3)), 0) as numerator,
        coalesce(sum(numerator * numerator) filter (where status_rank in (1, 3)), 0) as numerator_squares,
        count(*) filter (where status_rank in (1, 3)) as denominator,
        count(*) filter (where status_rank = 4) as denominator_unlinked,
        count(*) filter (where status_rank in (1, 3)) as units,
        count(*) filter (where status_rank = 1) as units_with_event,
        count(*) filter (where status_rank = 4) as units_unlinked,
        count(*) filter (where status_rank = 2) as units_waiting
    from counting
    group by indicator, counted_in, certainties, area_code, provider_code, drug_group, sex, age_band
),

-- Deaths bring years at risk, which grow with every day the register covers.
deaths as (
    select
        deaths.indicator,
        {{ step_start('deaths.counts_from', 'kinds.step_months', 'kinds.first_month') }} as counted_in,
        {{ certainties_of('standing') }} as certainties,
        deaths.area_code,
        deaths.provider_code,
        deaths.drug_group,
        persons.sex,
        {{ age_band('persons.birth_year', 'deaths.counts_from') }} as age_band,
        deaths.numerator,
        deaths.denominator
    from {{ ref('int_indicator_deaths') }} as deaths
    inner join {{ ref('int_indicator_kinds') }} as kinds on deaths.indicator = kinds.indicator
    inner join reported on deaths.indicator = reported.indicator and deaths.counts_from >= reported.first_day
    inner join {{ ref('int_person_standing') }} as standing on deaths.person_id = standing.person_id
    -- people whom the register alone knows are no row of int_persons
    left join {{ ref('int_persons') }} as persons on deaths.person_id = persons.person_id
),

everything as (
    select
        indicator,
        counted_in,
        certainties,
        area_code,
        provider_code,
        drug_group,
        sex,
        age_band,
        {{ measures | join(',\n        ') }}
    from counted

    union all

    select
        indicator,
        counted_in,
        certainties,
        area_code,
        provider_code,
        drug_group,
        sex,
        age_band,
        sum(numerator) as numerator,
        sum(numerator * numerator) as numerator_squares,
        sum(denominator) as denominator,
        0 as denominator_unlinked,
        count(*) as units,
        count(*) filter (where numerator > 0) as units_with_event,
        0 as units_unlinked,
        0 as units_waiting
    from deaths
    group by indicator, counted_in, certainties, area_code, provider_code, drug_group, sex, age_band
)

-- Providers are counted as a whole, areas by what their figures are broken down by.
select
    indicator,
    counted_in,
    certainties,
    grouping(provider_code) = 0 as is_of_provider,
    case when grouping(area_code) = 0 then coalesce(area_code, 'unknown') end as area_code,
    case when grouping(provider_code) = 0 then coalesce(provider_code, 'unknown') end as provider_code,
    case when grouping(sex) = 0 then coalesce(sex, 'not known') end as sex,
    case when grouping(age_band) = 0 then coalesce(age_band, 'not known') end as age_band,
    case when grouping(drug_group) = 0 then coalesce(drug_group, 'not known') end as drug_group,
    {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{% if not loop.last %},{% endif %}
    {%- endfor %}
from everything
group by
    indicator, counted_in, certainties,
    grouping sets ((area_code, sex, age_band, drug_group), (provider_code))
