-- One row, also when no feed has ever been delivered: an unknown coverage end makes every outcome not yet observable.
select
    max(coverage_end) filter (where feed = 'treatment') as treatment_covered_until,
    max(coverage_end) filter (where feed = 'police') as police_covered_until,
    max(coverage_end) filter (where feed = 'benefits') as benefits_covered_until,
    max(coverage_end) filter (where feed = 'housing') as housing_covered_until,
    max(coverage_end) filter (where feed = 'custody') as custody_covered_until,
    max(coverage_end) filter (where feed = 'deaths') as deaths_covered_until,
    max(coverage_end) filter (where feed = 'priority_offenders') as priority_offenders_covered_until
from {{ ref('stg_ops__feed_coverage') }}
