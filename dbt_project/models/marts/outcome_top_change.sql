{{ config(materialized='incremental', incremental_strategy='persons_and_feeds', indexes=[
    {'columns': ['journey_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['area_code', 'start_financial_year']}
]) }}

select
    journeys.journey_id,
    journeys.person_id,
    journeys.journey_number::integer as journey_number,
    journeys.start_date,
    journeys.treatment_start_date,
    journeys.end_date,
    {{ financial_year('journeys.start_date') }} as start_financial_year,
    journeys.drug_group,
    journeys.area_code,
    journeys.provider_code,
    profiles.top_at_start,
    profiles.top_at_start_observable_on,
    profiles.top_at_review,
    profiles.top_at_review_observable_on,
    profiles.top_at_exit,
    profiles.top_at_exit_observable_on,
    profiles.start_date as top_start_date,
    profiles.review_date as top_review_date,
    profiles.exit_date as top_exit_date,
    {%- for item in top_use_items() %}
        profiles.{{ item }}_at_start,
        profiles.{{ item }}_change,
        profiles.{{ item }}_class,
    {%- endfor %}
    {%- for item in top_other_items() %}
        profiles.{{ item }}_at_start,
        profiles.{{ item }}_change,
    {%- endfor %}
    {%- for stage in ['start', 'exit'] %}
        profiles.has_acute_housing_problem_at_{{ stage }},
        profiles.is_at_risk_of_eviction_at_{{ stage }},
        profiles.is_in_work_at_{{ stage }},
        profiles.is_in_education_at_{{ stage }},
    {%- endfor %}
    stale.stale_feeds
from {{ ref('int_outcomes_top') }} as profiles
inner join {{ ref('int_treatment_journeys') }} as journeys on profiles.journey_id = journeys.journey_id
cross join {{ ref('int_stale_feeds') }} as stale
where {{ to_build_as_feeds_stand('journeys.person_id') }} and {{ balanced('journeys.person_id') }}
order by journeys.person_id, journeys.start_date, journeys.journey_id
