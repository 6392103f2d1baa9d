with counting as (
    select
        events.indicator,
        {{ step_start('events.counts_from', 'kinds.step_months', 'kinds.first_month') }} as counted_in,
        {{ certainties_of('standing') }} as certainties,
        events.area_code,
        events.provider_code,
        events.drug_group,
        events.sex,
        {{ age_band('events.birth_year', 'events.counts_from') }} as age_band,
        events.numerator,
        events.denominator,
        {{ status_rank('events.status') }} as status_rank
    from {{ ref('int_indicator_events') }} as events
    inner join {{ ref('int_indicator_kinds') }} as kinds on events.indicator = kinds.indicator and not kinds.is_by_unit
    inner join {{ ref('int_person_standing') }} as standing on events.person_id = standing.person_id

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
        denominator,
        status_rank
    from {{ ref('int_indicator_units') }}
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
    coalesce(sum(numerator) filter (where status_rank in (1, 3)), 0) as numerator,
    coalesce(sum(numerator * numerator) filter (where status_rank in (1, 3)), 0) as numerator_squares,
    coalesce(sum(denominator) filter (where status_rank in (1, 3)), 0) as denominator,
    coalesce(sum(denominator) filter (where status_rank = 4), 0) as denominator_unlinked,
    count(*) filter (where status_rank in (1, 3)) as units,
    count(*) filter (where status_rank = 1) as units_with_event,
    count(*) filter (where status_rank = 4) as units_unlinked,
    count(*) filter (where status_rank = 2) as units_waiting
from counting
group by
    indicator, counted_in, certainties,
    grouping sets ((area_code, sex, age_band, drug_group), (provider_code))
