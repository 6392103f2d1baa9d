select
    models.cut,
    models.financial_year,
    models.area_level,
    models.area_code,
    prevalence.area_name,
    models.place,
    models.model,
    models.degrees,
    models.deviance::numeric(12, 2) as deviance,
    models.aic::numeric(14, 2) as aic,
    models.bic::numeric(14, 2) as bic,
    (models.bic - min(models.bic) over (partition by models.cut, models.area_code))::numeric(14, 2)
        as bic_above_best,
    (100 * models.weight)::numeric(5, 1) as percent_weight,
    {{ published_count('models.estimate', 'false') }} as estimated_users
from {{ source('estimates', 'prevalence_models') }} as models
inner join {{ ref('rpt_prevalence') }} as prevalence
    on
        prevalence.certainty = 'balanced'
        and models.cut = prevalence.cut
        and models.financial_year = prevalence.financial_year
        and models.area_code = prevalence.area_code
order by models.cut, models.area_level, models.area_code, models.place
