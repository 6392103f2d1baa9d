{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Journeys of a person may overlap by the days between triage and the first modality: as time at risk they are one.
with journeys as (
    select
        person_id,
        start_date,
        end_date,
        drug_group,
        area_code,
        provider_code
    from {{ ref('int_treatment_journeys') }}
    where {{ to_build('person_id') }}
),

numbered as (
    {{ number_islands('journeys', ['person_id']) }}
),

spells as (
    select
        person_id,
        min(start_date) as start_date,
        max(spell_end) as spell_end,
        lead(min(start_date)) over (partition by person_id order by min(start_date)) as next_start,
        -- the journey that ended last says what the person was treated for and where
        (array_agg(drug_group order by spell_end desc, start_date desc, drug_group asc))[1] as drug_group,
        (array_agg(area_code order by spell_end desc, start_date desc, area_code asc))[1] as area_code,
        (array_agg(provider_code order by spell_end desc, start_date desc, provider_code asc))[1] as provider_code
    from numbered
    group by person_id, island
),

left_on as (
    select
        spells.*,
        case
            when spells.spell_end < 'infinity'
                then {{ add_months('spells.spell_end', 'definitions.death_after_treatment_months') }}
        end as later_from
    from spells
    cross join {{ ref('int_definitions') }} as definitions
),

phases as (
    select
        left_on.person_id,
        phase.treatment_phase,
        phase.start_date,
        least(phase.end_date, left_on.next_start - 1) as end_date,
        left_on.drug_group,
        left_on.area_code,
        left_on.provider_code
    from left_on
    cross join
        lateral (
            values
            ('in treatment', left_on.start_date, nullif(left_on.spell_end, 'infinity')),
            ('within a year of leaving', nullif(left_on.spell_end, 'infinity') + 1, left_on.later_from - 1),
            ('later', left_on.later_from, null)
        ) as phase (treatment_phase, start_date, end_date)
    where phase.start_date is not null
)

select
    phases.person_id,
    phases.treatment_phase,
    phases.start_date,
    nullif(least({{ or_open('phases.end_date') }}, {{ or_open('persons.death_date') }}), 'infinity'::date) as end_date,
    phases.drug_group,
    phases.area_code,
    phases.provider_code
from phases
inner join {{ ref('int_persons') }} as persons on phases.person_id = persons.person_id
where
    phases.start_date <= {{ or_open('phases.end_date') }}
    and phases.start_date <= {{ or_open('persons.death_date') }}
