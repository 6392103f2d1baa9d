-- Every journey has its outcomes: ended ones in outcome_recovery, each in outcome_effective_treatment and
-- outcome_top_change, each completed one at every horizon in outcome_sustained_recovery.
with horizons as (
    select count(*) as number
    from {{ ref('indicator_definitions') }}
    where indicator ~ '^off_drugs_off_benefit_in_work_[0-9]+m$'
),

expected as (
    select
        'outcome_recovery' as mart,
        count(*) filter (where end_date is not null) as journeys
    from {{ ref('fct_treatment_journeys') }}

    union all

    select
        'outcome_effective_treatment' as mart,
        count(*) as journeys
    from {{ ref('fct_treatment_journeys') }}

    union all

    select
        'outcome_top_change' as mart,
        count(*) as journeys
    from {{ ref('fct_treatment_journeys') }}

    union all

    select
        'outcome_sustained_recovery' as mart,
        count(*) filter (where journeys.is_successful_completion) * coalesce(max(horizons.number), 0) as journeys
    from {{ ref('fct_treatment_journeys') }} as journeys
    cross join horizons
),

found as (
    {%- for mart in [
        'outcome_recovery', 'outcome_effective_treatment', 'outcome_top_change', 'outcome_sustained_recovery'
    ] %}
        {% if not loop.first %}
            union all
        {% endif %}
        select
            '{{ mart }}' as mart,
            count(*) as journeys
        from {{ ref(mart) }}
    {%- endfor %}
)

select expected.mart
from expected
inner join found on expected.mart = found.mart
where expected.journeys is distinct from found.journeys
