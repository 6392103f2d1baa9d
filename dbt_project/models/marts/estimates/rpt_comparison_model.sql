{{ config(indexes=[{'columns': ['certainty', 'cut', 'outcome', 'covariate', 'value'], 'unique': true}]) }}

select
    models.certainty,
    models.cut,
    models.outcome,
    outcomes.title as outcome_title,
    replace(models.covariate, '_', ' ') as covariate,
    models.value,
    models.journeys,
    models.odds_ratio::numeric(12, 4) as odds_ratio,
    models.lower_95::numeric(12, 4) as lower_95,
    models.upper_95::numeric(12, 4) as upper_95
from {{ source('estimates', 'comparison_model') }} as models
inner join {{ ref('comparison_outcomes') }} as outcomes on models.outcome = outcomes.outcome
order by models.certainty, models.cut, models.outcome, models.covariate, models.value
