-- Numbers of the definitions seed as one row, for the rules that ask for one window.
select
    max(window_length) filter (where indicator = 'continuous_treatment') as continuous_treatment_days,
    max(window_length) filter (where indicator = 'top_start') as top_start_days,
    max(window_length) filter (where indicator = 'top_review_earliest') as top_review_earliest_days,
    max(window_length) filter (where indicator = 'top_review_latest') as top_review_latest_days,
    max(window_length) filter (where indicator = 'top_exit') as top_exit_days,
    max(window_length) filter (where indicator = 'waited_within_3_weeks') as waiting_days,
    max(window_length) filter (where indicator = 'death_after_treatment') as death_after_treatment_months
from {{ ref('indicator_definitions') }}
