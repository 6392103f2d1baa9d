-- Numbers of the definitions seed as one row, for the rules that ask for one window.
select
    max(window_length) filter (where indicator = 'continuous_treatment') as continuous_treatment_days,
    max(window_length) filter (where indicator = 're_presentation_6m') as re_presentation_months,
    max(window_length) filter (where indicator = 'proven_reoffence_12m') as proven_reoffence_months,
    max(wait_months) filter (where indicator = 'proven_reoffence_12m') as proven_reoffence_wait_months
from {{ ref('indicator_definitions') }}
