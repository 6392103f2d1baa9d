{{ config(materialized='incremental', incremental_strategy='persons_and_feeds', indexes=[
    {'columns': ['journey_id', 'outcome'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['provider_code', 'earned_month']}
]) }}

select
    outcomes.journey_id,
    definitions.domain,
    outcomes.outcome,
    definitions.payment,
    outcomes.person_id,
    journeys.start_date,
    journeys.end_date,
    journeys.drug_group,
    journeys.area_code,
    journeys.provider_code,
    known.complexity_group,
    known.complexity_points,
    known.complexity_working,
    outcomes.status,
    outcomes.observable_on,
    case when outcomes.status = 'yes' then date_trunc('month', outcomes.observable_on)::date end as earned_month,
    tariffs.pounds as tariff,
    case when outcomes.status = 'yes' then tariffs.pounds else 0 end as amount,
    stale.stale_feeds
from {{ ref('int_pbr_outcomes') }} as outcomes
inner join {{ ref('int_treatment_journeys') }} as journeys on outcomes.journey_id = journeys.journey_id
inner join {{ ref('int_pbr_journeys') }} as known on outcomes.journey_id = known.journey_id
inner join {{ ref('pbr_outcomes') }} as definitions on outcomes.outcome = definitions.outcome
inner join {{ ref('pbr_tariffs') }} as tariffs
    on outcomes.outcome = tariffs.outcome and known.complexity_group = tariffs.complexity_group
cross join {{ ref('int_stale_feeds') }} as stale
where {{ to_build_as_feeds_stand('outcomes.person_id') }} and {{ balanced('outcomes.person_id') }}
order by outcomes.person_id, journeys.start_date, outcomes.journey_id, definitions.position
