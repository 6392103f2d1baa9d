{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

{%- set answers = [
    'alcohol_days', 'opioid_days', 'crack_days', 'cocaine_days', 'amphetamine_days', 'cannabis_days', 'other_drug_days',
    'injecting_days', 'has_shared_equipment', 'shoplifting_days', 'drug_selling_days', 'has_committed_other_theft',
    'has_been_violent', 'psychological_health', 'paid_work_days', 'education_days', 'has_acute_housing_problem',
    'is_at_risk_of_eviction', 'physical_health', 'quality_of_life'
] -%}
-- One profile for each episode, day and stage: two client records of one person may both hold the interview, and then
-- the answer that is given stands, the higher of two. Where the stage is not told, the date alone decides.
with interviews as (
    select
        {{ surrogate_key([
            'links.person_id', 'ndtms.provider_code', 'ndtms.partnership_code', 'ndtms.triage_date'
        ]) }} as episode_id,
        ndtms.top_date as review_date,
        {%- for answer in answers %}
            {{ 'bool_or' if answer.startswith(('has_', 'is_')) else 'max' }}(ndtms.top_{{ answer }}) as {{ answer }},
        {%- endfor %}
        ndtms.top_stage_code as stage_code
    from {{ ref('stg_treatment__ndtms') }} as ndtms
    inner join {{ ref('int_links_to_build') }} as links on ndtms.record_key = links.record_key
    where ndtms.triage_date is not null and ndtms.top_date is not null
    group by
        links.person_id, ndtms.provider_code, ndtms.partnership_code, ndtms.triage_date, ndtms.top_date,
        ndtms.top_stage_code
),

timed as (
    select
        episodes.person_id,
        episodes.journey_id,
        episodes.triage_date,
        episodes.provider_code,
        episodes.partnership_code,
        interviews.*,
        stages.review_window as stage_window,
        interviews.review_date - episodes.treatment_start_date as days_from_start,
        interviews.review_date - episodes.journey_end_date as days_from_end
    from interviews
    inner join {{ ref('int_journey_episodes') }} as episodes on interviews.episode_id = episodes.episode_id
    left join {{ ref('top_stages') }} as stages on interviews.stage_code = stages.stage_code
    where {{ to_build('episodes.person_id') }}
),

placed as (
    select
        timed.*,
        case
            when
                coalesce(timed.stage_window, 'start') = 'start'
                and abs(timed.days_from_start) <= definitions.top_start_days
                then 'start'
            when
                coalesce(timed.stage_window, 'exit') = 'exit'
                and abs(timed.days_from_end) <= definitions.top_exit_days
                then 'exit'
            when
                coalesce(timed.stage_window, 'review') = 'review'
                and timed.days_from_start >= definitions.top_review_earliest_days
                and timed.days_from_start <= definitions.top_review_latest_days
                then 'review'
            when timed.stage_window = 'post-treatment' then 'post-treatment'
            else 'outside'
        end as review_window
    from timed
    cross join {{ ref('int_definitions') }} as definitions
),

-- The start and exit reviews that count are the nearest to the day they belong to, the review the latest of its window.
ranked as (
    select
        placed.*,
        row_number() over (
            partition by placed.journey_id, placed.review_window
            order by
                case placed.review_window
                    when 'start' then abs(placed.days_from_start)
                    when 'review' then -placed.days_from_start
                    when 'exit' then abs(placed.days_from_end)
                end asc,
                placed.review_date asc, placed.triage_date desc, placed.stage_code asc, placed.provider_code asc,
                placed.partnership_code asc
        ) as place_in_window
    from placed
)

select
    {{ surrogate_key(['episode_id', 'review_date', 'stage_code']) }} as top_review_id,
    person_id,
    episode_id,
    journey_id,
    provider_code,
    review_date,
    stage_code,
    review_window,
    review_window in ('start', 'review', 'exit') and place_in_window = 1 as is_standing,
    days_from_start as days_from_treatment_start,
    {{ answers | join(',\n    ') }}
from ranked
