{{ config(indexes=[{'columns': ['exposure', 'cohort', 'cut', 'covariate'], 'unique': true}]) }}

-- Standardised differences of sixty people or more, to two decimals: no count of people can be worked out from them.
select
    exposure,
    cohort,
    cut,
    covariate,
    covariate_title,
    difference_before::numeric(5, 2) as difference_before,
    difference_after::numeric(5, 2) as difference_after,
    is_balanced
from {{ ref('rpt_matched_balance') }}
where certainty = 'balanced'
