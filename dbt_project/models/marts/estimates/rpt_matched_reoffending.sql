{{ config(indexes=[{'columns': ['exposure', 'cohort', 'cut', 'certainty', 'measure'], 'unique': true}]) }}

select
    estimates.exposure,
    estimates.cohort,
    cohorts.title as cohort_title,
    estimates.cut,
    estimates.certainty,
    estimates.measure,
    estimates.unit,
    estimates.people_starting,
    estimates.people_linked_to_police,
    estimates.people_submitted,
    estimates.people_died,
    estimates.people_matched,
    estimates.comparison_pool,
    estimates.treated_value,
    estimates.comparison_value,
    estimates.difference,
    estimates.difference_lower_95,
    estimates.difference_upper_95,
    estimates.p_value,
    case
        when estimates.difference_upper_95 < 0 then 'lower'
        when estimates.difference_lower_95 > 0 then 'higher'
        when estimates.difference is not null then 'not shown'
    end as conclusion,
    estimates.comparison_before_matching,
    estimates.people_with_event_treated,
    estimates.people_with_event_comparison,
    estimates.comparison_treated_later_percent,
    estimates.is_balanced,
    estimates.note,
    estimates.warnings
from {{ source('estimates', 'matched_reoffending') }} as estimates
inner join {{ ref('matched_cohorts') }} as cohorts on estimates.cohort = cohorts.cohort
