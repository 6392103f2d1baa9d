{{ config(materialized='incremental', incremental_strategy='persons_and_feeds', indexes=[
    {'columns': ['journey_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['area_code', 'start_financial_year']}
]) }}

{%- set outcomes = ['effective_treatment', 'retained_12_weeks', 'unplanned_exit_12_weeks', 'waited_within_3_weeks'] %}

with answers as (
    select
        journey_id,
        {%- for outcome in outcomes %}
            max(status) filter (where indicator = '{{ outcome }}') as {{ outcome }},
            max(observable_on) filter (where indicator = '{{ outcome }}') as {{ outcome }}_observable_on
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_outcomes_effective') }}
    group by journey_id
)

-- Without a modality nothing has begun that could be kept up, without a referral nothing that could be waited for.
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
    {%- for outcome in outcomes %}
        coalesce(answers.{{ outcome }}, 'not applicable') as {{ outcome }},
        answers.{{ outcome }}_observable_on,
    {%- endfor %}
    stale.stale_feeds
from {{ ref('int_treatment_journeys') }} as journeys
left join answers on journeys.journey_id = answers.journey_id
cross join {{ ref('int_stale_feeds') }} as stale
where {{ to_build_as_feeds_stand('journeys.person_id') }} and {{ balanced('journeys.person_id') }}
order by journeys.person_id, journeys.start_date, journeys.journey_id
