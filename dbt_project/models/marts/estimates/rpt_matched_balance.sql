{{ config(indexes=[{'columns': ['exposure', 'cohort', 'cut', 'certainty', 'covariate'], 'unique': true}]) }}

select
    exposure,
    cohort,
    cut,
    certainty,
    covariate,
    title as covariate_title,
    difference_before,
    difference_after,
    is_balanced
from {{ source('estimates', 'matched_reoffending_balance') }}
