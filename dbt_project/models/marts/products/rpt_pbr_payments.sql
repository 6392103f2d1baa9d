{{ config(indexes=[
    {
        'columns': ['certainty', 'cut', 'area_level', 'area_code', 'provider_code', 'month', 'outcome'],
        'unique': true
    }
]) }}

-- Outcomes are counted by authority, provider, month and tariff first: what follows reads counts, not outcomes.
with cells as (
    select
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        cuts.cut,
        coalesce(journeys.area_code, 'unknown') as area_code,
        coalesce(journeys.provider_code, 'unknown') as provider_code,
        date_trunc('month', outcomes.observable_on::timestamp)::date as month,
        outcomes.outcome,
        known.complexity_group,
        outcomes.status,
        count(*) as outcomes
    from {{ ref('int_pbr_outcomes') }} as outcomes
    inner join {{ ref('int_treatment_journeys') }} as journeys on outcomes.journey_id = journeys.journey_id
    inner join {{ ref('int_pbr_journeys') }} as known on outcomes.journey_id = known.journey_id
    inner join {{ ref('int_person_standing') }} as standing on outcomes.person_id = standing.person_id
    inner join {{ ref('int_journey_cuts') }} as cuts on outcomes.journey_id = cuts.journey_id
    where outcomes.observable_on is not null and outcomes.status != 'not applicable'
    group by
        standing.is_strict, standing.is_balanced, standing.is_inclusive, cuts.cut,
        coalesce(journeys.area_code, 'unknown'), coalesce(journeys.provider_code, 'unknown'), month, outcomes.outcome,
        known.complexity_group, outcomes.status
),

placed as (
    select
        each.certainty,
        cells.cut,
        {{ country_code('areas.country') }} as country_code,
        coalesce(areas.region_code, 'unknown') as region_code,
        coalesce(areas.area_code, 'unknown') as area_code,
        cells.provider_code,
        cells.month,
        cells.outcome,
        cells.status,
        cells.outcomes,
        cells.outcomes * tariffs.pounds as pounds
    from cells
    cross join {{ each_certainty('cells') }}
    inner join {{ ref('pbr_tariffs') }} as tariffs
        on cells.outcome = tariffs.outcome and cells.complexity_group = tariffs.complexity_group
    left join {{ ref('dim_area') }} as areas on cells.area_code = areas.area_code
    where each.is_counted
),

counted as (
    select
        certainty,
        cut,
        country_code,
        region_code,
        area_code,
        provider_code,
        month,
        outcome,
    {%- for name, statuses in [
        ('paid', "'yes'"), ('answered', "'yes', 'no'"), ('not_linked', "'not linked'"),
        ('not_measured', "'not measured'"), ('censored', "'censored by death'"), ('pending', "'not yet observable'")
    ] %}
            coalesce(sum(outcomes) filter (where status in ({{ statuses }})), 0)::integer as outcomes_{{ name }},
        {%- endfor %}
        coalesce(sum(pounds) filter (where status = 'yes'), 0)::bigint as amount,
        coalesce(sum(pounds) filter (where status = 'not linked'), 0)::bigint as amount_if_not_linked_counted,
        coalesce(sum(pounds) filter (where status = 'not yet observable'), 0)::bigint as amount_pending
    from placed
    group by
        certainty, cut, month, outcome,
        grouping sets ((country_code), (region_code), (area_code), (provider_code))
)

select
    counted.certainty,
    counted.cut,
    case
        when counted.country_code is not null then 'country'
        when counted.region_code is not null then 'region'
        when counted.area_code is not null then 'authority'
        else 'provider'
    end as area_level,
    coalesce(counted.country_code, counted.region_code, counted.area_code, 'all') as area_code,
    coalesce(counted.provider_code, 'all') as provider_code,
    counted.month,
    {{ financial_year('counted.month') }} as financial_year,
    definitions.domain,
    counted.outcome,
    definitions.payment,
    counted.outcomes_paid,
    counted.outcomes_answered,
    counted.outcomes_not_linked,
    counted.outcomes_not_measured,
    counted.outcomes_censored,
    counted.outcomes_pending,
    counted.amount,
    counted.amount_if_not_linked_counted,
    counted.amount_pending,
    (100.0 * counted.outcomes_paid / nullif(counted.outcomes_answered, 0))::numeric(7, 4) as percent_paid,
    (
        100 * {{ wilson_share_bound('counted.outcomes_paid', 'counted.outcomes_answered', '-') }}
    )::numeric(7, 4) as percent_paid_lower_95,
    (
        100 * {{ wilson_share_bound('counted.outcomes_paid', 'counted.outcomes_answered', '+') }}
    )::numeric(7, 4) as percent_paid_upper_95
from counted
inner join {{ ref('pbr_outcomes') }} as definitions on counted.outcome = definitions.outcome
order by
    counted.certainty, counted.cut, area_level, area_code, provider_code, counted.month, definitions.position
