{{ config(materialized='incremental', indexes=[
    {'columns': ['top_review_id'], 'unique': true},
    {'columns': ['person_id']},
    {'columns': ['journey_id']},
    {'columns': ['review_date']}
]) }}

{%- set measured = [
    'alcohol_days', 'opioid_days', 'crack_days', 'cocaine_days', 'amphetamine_days', 'cannabis_days', 'other_drug_days',
    'injecting_days', 'shoplifting_days', 'drug_selling_days', 'paid_work_days', 'education_days',
    'psychological_health', 'physical_health', 'quality_of_life'
] %}

select
    reviews.top_review_id,
    reviews.episode_id,
    reviews.journey_id,
    reviews.person_id,
    reviews.provider_code,
    reviews.review_date,
    stages.label as stage,
    reviews.review_window,
    reviews.is_standing,
    reviews.days_from_treatment_start,
    {%- for item in measured %}
        reviews.{{ item }}::integer as {{ item }},
        (reviews.{{ item }} - starts.{{ item }})::integer as {{ item }}_change,
    {%- endfor %}
    reviews.has_shared_equipment,
    reviews.has_committed_other_theft,
    reviews.has_been_violent,
    reviews.has_acute_housing_problem,
    reviews.is_at_risk_of_eviction
from {{ ref('int_top_reviews') }} as reviews
left join {{ ref('top_stages') }} as stages on reviews.stage_code = stages.stage_code
-- Change is told of what came after the start review that counts.
left join {{ ref('int_top_reviews') }} as starts
    on
        reviews.journey_id = starts.journey_id
        and starts.review_window = 'start'
        and starts.is_standing
        and reviews.review_date > starts.review_date
where {{ to_build('reviews.person_id') }} and {{ balanced('reviews.person_id') }}
order by reviews.person_id, reviews.review_date, reviews.top_review_id
