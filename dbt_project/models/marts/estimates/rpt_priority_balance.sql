{{ config(indexes=[{'columns': ['cut', 'certainty', 'covariate'], 'unique': true}]) }}

select
    cut,
    certainty,
    covariate,
    title,
    difference_before::numeric(5, 2) as difference_before,
    difference_after::numeric(5, 2) as difference_after,
    is_balanced
from {{ source('estimates', 'priority_offenders_balance') }}
order by cut, certainty, covariate
