{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

-- Days of treatment of each ended journey, by what is paid for, and what they cost. A journey that is still open has no
-- cost yet. A day counts once for each cost line, however many interventions of the line overlap. A bed includes the
-- prescribing and the sessions of its day, and an inpatient day a residential one. An intervention left open ends with
-- its journey. What happens in prison is paid for by the health service there, and is not counted.
with ended as (
    select
        journey_id,
        person_id,
        end_date,
        case when drug_group = 'alcohol only' then 'alcohol only' else 'drugs' end as substance
    from {{ ref('int_treatment_journeys') }}
    where end_date is not null and {{ to_build('person_id') }}
),

begun as (
    select
        interventions.journey_id,
        case
            when settings.is_prison then null
            when interventions.modality_group = 'inpatient' or settings.label = 'Inpatient' then 'inpatient'
            when
                interventions.modality_group = 'residential' or settings.label in ('Residential', 'Recovery house')
                then 'residential'
            when interventions.modality_group = 'pharmacological' then 'prescribing'
            when interventions.modality_group in ('psychosocial', 'recovery support')
                then interventions.modality_group
        end as cost_line,
        interventions.start_date,
        least({{ or_open('interventions.end_date') }}, ended.end_date) as end_date
    from {{ ref('int_interventions') }} as interventions
    inner join ended on interventions.journey_id = ended.journey_id
    left join {{ ref('modality_settings') }} as settings on interventions.setting_code = settings.setting_code
),

-- Null for a line that the journey has no day of.
treated as (
    select
        journey_id,
    {%- for line in ['inpatient', 'residential', 'prescribing', 'psychosocial', 'recovery support'] %}
        coalesce(
            range_agg(daterange(start_date, end_date, '[]')) filter (where cost_line = '{{ line }}'),
            '{}'::datemultirange
        ) as {{ line | replace(' ', '_') }}{{ ',' if not loop.last }}
    {%- endfor %}
    from begun
    where cost_line is not null and start_date <= end_date
    group by journey_id
),

charged as (
    select
        treated.journey_id,
        line.cost_line,
        (
            select coalesce(sum(upper(spell.days) - lower(spell.days)), 0)
            from unnest(line.spells) as spell (days)
        )::integer as units
    from treated
    cross join
        lateral (
            values
            ('inpatient', treated.inpatient),
            ('residential', treated.residential - treated.inpatient),
            ('prescribing', treated.prescribing - treated.residential - treated.inpatient),
            ('psychosocial', treated.psychosocial - treated.residential - treated.inpatient),
            ('recovery support', treated.recovery_support - treated.residential - treated.inpatient)
        ) as line (cost_line, spells)

    union all

    select
        journey_id,
        'assessment' as cost_line,
        1 as units
    from ended
),

costed as (
    select
        charged.journey_id,
        coalesce(sum(charged.units) filter (where charged.cost_line = 'inpatient'), 0)::integer as inpatient_days,
        coalesce(sum(charged.units) filter (where charged.cost_line = 'residential'), 0)::integer as residential_days,
        coalesce(sum(charged.units) filter (where charged.cost_line = 'prescribing'), 0)::integer as prescribing_days,
        coalesce(sum(charged.units) filter (where charged.cost_line = 'psychosocial'), 0)::integer
            as psychosocial_days,
        coalesce(sum(charged.units) filter (where charged.cost_line = 'recovery support'), 0)::integer
            as recovery_support_days,
        sum(charged.units * costs.low_pounds) as low_pounds,
        sum(charged.units * costs.mid_pounds) as mid_pounds,
        sum(charged.units * costs.high_pounds) as high_pounds
    from charged
    inner join ended on charged.journey_id = ended.journey_id
    inner join {{ ref('treatment_unit_costs') }} as costs
        on charged.cost_line = costs.cost_line and ended.substance = costs.substance
    group by charged.journey_id
)

select
    ended.journey_id,
    ended.person_id,
    ended.end_date,
    -- The dearest part names the pathway, as studies of pathways that contain residential treatment do.
    case
        when costed.residential_days > 0 then 'residential'
        when costed.inpatient_days > 0 then 'inpatient'
        when costed.prescribing_days > 0 and costed.psychosocial_days > 0 then 'prescribing and psychosocial'
        when costed.prescribing_days > 0 then 'prescribing'
        when costed.psychosocial_days > 0 then 'psychosocial'
        when costed.recovery_support_days > 0 then 'recovery support'
        else 'none begun'
    end as pathway,
    costed.inpatient_days,
    costed.residential_days,
    costed.prescribing_days,
    costed.psychosocial_days,
    costed.recovery_support_days,
    costed.low_pounds::numeric(12, 2) as low_pounds,
    costed.mid_pounds::numeric(12, 2) as mid_pounds,
    costed.high_pounds::numeric(12, 2) as high_pounds
from ended
inner join costed on ended.journey_id = costed.journey_id
