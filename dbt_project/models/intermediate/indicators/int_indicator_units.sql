with placed as (
    select
        events.indicator,
        periods.period_start,
        events.unit_key,
        {{ certainties_of('standing') }} as certainties,
        events.counts_from,
        events.area_code,
        events.provider_code,
        events.drug_group,
        events.sex,
        {{ age_band('events.birth_year', 'greatest(events.counts_from, periods.period_start)') }} as age_band,
        events.numerator,
        events.denominator,
        {{ status_rank('events.status') }} as status_rank
    from {{ ref('int_indicator_events') }} as events
    inner join {{ ref('int_indicator_kinds') }} as kinds on events.indicator = kinds.indicator and kinds.is_by_unit
    inner join {{ ref('int_indicator_periods') }} as periods
        on
            events.indicator = periods.indicator
            and events.counts_from <= periods.period_end
            and {{ or_open('events.counts_to') }} >= periods.period_start
    inner join {{ ref('int_person_standing') }} as standing on events.person_id = standing.person_id
)

-- Of several rows of a unit the latest says where and in which group it counts: with several admissions in a year the
-- latest counts (NI 040 metadata). So a unit is in one cell alone, and cells add up.
select distinct on (indicator, period_start, unit_key)
    indicator,
    period_start,
    unit_key,
    certainties,
    area_code,
    provider_code,
    drug_group,
    sex,
    age_band,
    max(numerator) over unit as numerator,
    max(denominator) over unit as denominator,
    min(status_rank) over unit as status_rank
from placed
window unit as (partition by indicator, period_start, unit_key)
order by
    indicator asc, period_start asc, unit_key asc, counts_from desc, area_code asc, provider_code asc, drug_group asc,
    age_band asc
