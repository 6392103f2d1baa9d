-- What one outcome says another may not deny: a person back in treatment within six months is back within twelve, the
-- joint outcome holds where its parts do, who was kept in treatment was in effective treatment.
with horizons as (
    select
        earlier.journey_id,
        earlier.not_back_in_treatment as not_back_earlier,
        later.not_back_in_treatment as not_back_later,
        earlier.alive as alive_earlier,
        later.alive as alive_later
    from {{ ref('outcome_sustained_recovery') }} as earlier
    inner join {{ ref('outcome_sustained_recovery') }} as later
        on earlier.journey_id = later.journey_id and earlier.horizon_months < later.horizon_months
)

select
    'a later horizon' as contradicted,
    journey_id
from horizons
where
    (not_back_earlier = 'no' and not_back_later not in ('no', 'not yet observable'))
    or (alive_earlier = 'no' and alive_later not in ('no', 'not yet observable'))

union all

select
    'the parts' as contradicted,
    journey_id
from {{ ref('outcome_sustained_recovery') }}
where
    (off_drugs_off_benefit_in_work = 'yes')
    != (not_back_in_treatment = 'yes' and off_out_of_work_benefit = 'yes' and in_work = 'yes')
    or (in_work_26_weeks = 'yes' and in_work_13_weeks != 'yes')
    or (alive = 'no' and 'yes' in (off_out_of_work_benefit, in_work, settled))

union all

select
    'outcome_recovery' as contradicted,
    sustained.journey_id
from {{ ref('outcome_sustained_recovery') }} as sustained
inner join {{ ref('outcome_recovery') }} as outcomes on sustained.journey_id = outcomes.journey_id
where
    outcomes.successful_completion = 'no'
    or (
        sustained.horizon_months = 6
        and (sustained.not_back_in_treatment = 'no') != (outcomes.re_presentation_6m = 'yes')
    )
    or (
        sustained.horizon_months = 12
        and (sustained.not_back_in_treatment = 'no') != (outcomes.re_presentation_12m = 'yes')
    )

union all

select
    'retention' as contradicted,
    journey_id
from {{ ref('outcome_effective_treatment') }}
where
    (retained_12_weeks = 'yes' and effective_treatment != 'yes')
    or (effective_treatment = 'yes' and unplanned_exit_12_weeks != 'no')
    or (effective_treatment = 'no' and unplanned_exit_12_weeks != 'yes')
