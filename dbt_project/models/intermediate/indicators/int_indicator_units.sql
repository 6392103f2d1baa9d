with placed as (
    select
        events.indicator,
        periods.period_start,
        events.person_id,
        events.certainties,
        events.counts_from,
        events.area_code,
        events.provider_code,
        events.drug_group,
        events.sex,
        {{ age_band('events.birth_year', 'greatest(events.counts_from, periods.period_start)') }} as age_band,
        events.numerator,
        events.status_rank
    from {{ ref('int_indicator_events') }} as events
    inner join {{ ref('int_indicator_periods') }} as periods
        on
            events.indicator = periods.indicator
            and events.counts_from <= periods.period_end
            and {{ or_open('events.counts_to') }} >= periods.period_start
    -- indicators whose units repeat or last count people
    where events.is_by_unit
)

-- Of several rows of a unit the latest says where and in which group it counts: with several admissions in a year the
-- latest counts (NI 040 metadata). So a unit is in one cell alone, and cells add up.
select distinct on (indicator, period_start, person_id)
    indicator,
    period_start,
    person_id,
    certainties,
    area_code,
    provider_code,
    drug_group,
    sex,
    age_band,
    max(numerator) over unit as numerator,
    min(status_rank) over unit as status_rank
from placed
window unit as (partition by indicator, period_start, person_id)
order by
    indicator asc, period_start asc, person_id asc, counts_from desc, area_code asc, provider_code asc, drug_group asc,
    age_band asc
