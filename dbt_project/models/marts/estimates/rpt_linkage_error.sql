{{ config(indexes=[
    {
        'columns': ['certainty', 'cut', 'outcome', 'breakdown', 'breakdown_value', 'basis'],
        'unique': true
    }
]) }}

-- Estimates are shares; per cent is what is shown.
select
    rates.certainty,
    rates.cut,
    rates.outcome,
    outcomes.title as outcome_title,
    outcomes.link,
    rates.period_start,
    rates.period_end,
    rates.breakdown,
    rates.breakdown_value,
    rates.basis,
    rates.is_preferred,
    rates.journeys,
    rates.journeys_unlinked,
    rates.journeys_with_outcome,
    rates.journeys_with_outcome_by_link,
    {%- for column in [
        'linked_rate', 'linked_lower_95', 'linked_upper_95', 'naive_rate', 'naive_lower_95', 'naive_upper_95',
        'link_precision', 'link_precision_lower_95', 'link_precision_upper_95',
        'link_recall', 'link_recall_lower_95', 'link_recall_upper_95',
        'adjusted_rate', 'adjusted_lower_95', 'adjusted_upper_95'
    ] %}
        (100 * rates.{{ column }})::numeric(7, 4) as {{ column | replace('_rate', '_percent') }},
    {%- endfor %}
    (100 * (rates.adjusted_rate - rates.naive_rate))::numeric(7, 4) as difference_points,
    rates.note
from {{ source('estimates', 'linkage_error') }} as rates
inner join {{ ref('linkage_error_outcomes') }} as outcomes on rates.outcome = outcomes.outcome
order by rates.certainty, rates.cut, rates.outcome, rates.breakdown, rates.breakdown_value, rates.basis
