{{ config(materialized='view') }}

-- Reoffending of each cohort: who reoffended, how often and how seriously; an event counts on the day of entry.
with rows_of_measures as (
    select
        measures.indicator,
        outcomes.person_id,
        coalesce(outcomes.journey_id, outcomes.entry_id)::text as unit_key,
        outcomes.entry_date,
        outcomes.area_code,
        outcomes.provider_code,
        outcomes.drug_group,
        coalesce(measures.events, 0) as numerator,
        outcomes.proven_reoffence
    from {{ ref('int_outcomes_proven_reoffending') }} as outcomes
    cross join
        lateral (
            values
            (
                outcomes.indicator,
                case
                    when outcomes.indicator = 'drug_related_offending' then outcomes.convicted_reoffences
                    else (outcomes.proven_reoffence = 'yes')::integer
                end,
                true
            ),
            (outcomes.indicator || '_frequency', outcomes.reoffences, outcomes.indicator = 'proven_reoffending'),
            (
                outcomes.indicator || '_severity',
                outcomes.most_serious_reoffences,
                outcomes.indicator = 'proven_reoffending'
            )
        ) as measures (indicator, events, is_measured)
    where measures.is_measured and {{ to_build('outcomes.person_id') }}
),

around as (
    select
        'offending_two_years_after_start' as indicator,
        person_id,
        journey_id::text as unit_key,
        start_date as entry_date,
        area_code,
        provider_code,
        drug_group,
        (offended_after = 'yes')::integer as numerator,
        offended_after as proven_reoffence
    from {{ ref('int_offending_around_treatment') }}
    where {{ to_build('person_id') }}
),

events as (
    select * from rows_of_measures
    union all
    select * from around
)

select
    indicator,
    person_id,
    unit_key,
    entry_date as counts_from,
    entry_date as counts_to,
    area_code,
    provider_code,
    drug_group,
    numerator,
    case
        when proven_reoffence not in ('yes', 'no') then proven_reoffence
        when numerator > 0 then 'yes'
        else 'no'
    end as status
from events
where proven_reoffence != 'not applicable'
