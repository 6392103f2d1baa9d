{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}, {'columns': ['month_start']}]) }}

{#- The first day of the last month that every feed which ever came is known for to its end. -#}
{%- set last_month -%}
    (
        select date_trunc('month', least(
            treatment_covered_until, police_covered_until, benefits_covered_until, housing_covered_until,
            custody_covered_until
        ) + 1)::date - interval '1 month'
        from {{ ref('int_feed_coverage') }}
    )::date
{%- endset -%}
{#- The last month written before, where the night adds one: people who did not change get the new months alone. -#}
{%- set kept = none -%}
{%- if execute and is_nightly() -%}
    {%- set kept = run_query("select max(month_start) from " ~ this ~ " having max(month_start) < " ~ last_month) -%}
    {%- set kept = kept.rows[0][0] if kept.rows | length == 1 else none -%}
{%- endif -%}

with persons as (
    select
        person_id,
        is_linked_to_treatment,
        is_linked_to_police,
        is_linked_to_benefits,
        is_linked_to_housing,
        is_linked_to_custody,
        {{ or_open('death_date') }} as death_date,
        {% if kept -%}
            case
                when {{ to_build('person_id') }} then date '{{ var("person_months_from") }}'
                else (date '{{ kept }}' + interval '1 month')::date
            end
        {%- else -%}
            date '{{ var("person_months_from") }}'
        {%- endif %} as months_from,
        {{ last_month }} as last_month
    from {{ ref('int_persons') }}
    where
        (is_linked_to_treatment or {{ var('person_months_of') == 'all' }})
        and {{ 'true' if kept else to_build('person_id') }}
),

-- Time in a state, from `start_date` and before `until_date`. Whoever leaves prison spends that night elsewhere. A
-- journey may start, by triage, before the one before it has ended: no day counts twice.
spells as (
    select
        person_id,
        'treatment' as state,
        greatest(
            start_date,
            lag(end_date) over (partition by person_id order by {{ or_open('end_date') }}, start_date) + 1
        ) as start_date,
        {{ or_open('end_date') }} + 1 as until_date,
        drug_group
    from {{ ref('int_treatment_journeys') }}

    union all

    select
        person_id,
        'out of work' as state,
        start_date,
        {{ or_open('end_date') }} + 1 as until_date,
        null as drug_group
    from {{ ref('int_out_of_work_spells') }}

    union all

    select
        person_id,
        'work' as state,
        start_date,
        {{ or_open('end_date') }} + 1 as until_date,
        null as drug_group
    from {{ ref('int_employment_spells') }}

    union all

    select
        person_id,
        'custody' as state,
        start_date,
        {{ or_open('end_date') }} as until_date,
        null as drug_group
    from {{ ref('int_custody_periods') }}

    union all

    -- where a person lives counts on the last day of a month
    select
        person_id,
        case when is_settled then 'settled' else 'unsettled' end as state,
        start_date,
        {{ or_open('end_date') }} + 1 as until_date,
        null as drug_group
    from {{ ref('int_accommodation_spells') }}
),

-- An agency may hold a spell open after the death that another one reported.
lived as (
    select
        spells.person_id,
        spells.state,
        spells.start_date,
        least(spells.until_date, persons.death_date + 1) as until_date,
        spells.drug_group,
        persons.months_from,
        persons.last_month
    from spells
    inner join persons on spells.person_id = persons.person_id
),

spell_months as (
    select
        lived.person_id,
        lived.state,
        lived.start_date,
        lived.drug_group,
        months.month_start::date as month_start,
        least(lived.until_date, (months.month_start + interval '1 month')::date)
        - greatest(lived.start_date, months.month_start::date) as days,
        lived.until_date >= (months.month_start + interval '1 month')::date as reaches_month_end
    from lived
    cross join lateral generate_series(
        greatest(date_trunc('month', lived.start_date::timestamp), lived.months_from),
        least(lived.until_date - 1, lived.last_month)::timestamp,
        interval '1 month'
    ) as months (month_start)
),

event_months as (
    select
        offences.person_id,
        'offence' as state,
        date_trunc('month', offences.offence_date)::date as month_start
    from {{ ref('int_proven_offences') }} as offences

    union all

    select
        arrests.person_id,
        'arrest' as state,
        date_trunc('month', arrests.arrest_date)::date as month_start
    from {{ ref('int_arrests') }} as arrests
),

pieces as (
    select
        person_id,
        month_start,
        state,
        days as amount,
        start_date,
        drug_group
    from spell_months
    where state not in ('settled', 'unsettled') or reaches_month_end

    union all

    select
        event_months.person_id,
        event_months.month_start,
        event_months.state,
        1 as amount,
        null as start_date,
        null as drug_group
    from event_months
    inner join persons
        on
            event_months.person_id = persons.person_id
            and event_months.month_start between persons.months_from and persons.last_month
    {% if kept %}

        union all

        -- people nobody touched go on from where they were
        select
            person_id,
            (month_start + interval '1 month')::date as month_start,
            'month' as state,
            0 as amount,
            null as start_date,
            null as drug_group
        from {{ this }}
        where month_start = date '{{ kept }}' and is_alive and not {{ to_build('person_id') }}
    {% endif %}
),

summed as (
    select
        person_id,
        month_start,
        sum(amount) filter (where state = 'treatment') as days_in_treatment,
        (array_agg(drug_group order by start_date desc, drug_group asc) filter (where state = 'treatment'))[1]
            as drug_group,
        sum(amount) filter (where state = 'offence') as proven_offences,
        sum(amount) filter (where state = 'arrest') as arrests,
        sum(amount) filter (where state = 'out of work') as days_on_out_of_work_benefit,
        sum(amount) filter (where state = 'work') as days_in_work,
        sum(amount) filter (where state = 'custody') as nights_in_custody,
        bool_or(state = 'settled') filter (where state in ('settled', 'unsettled')) as is_settled
    from pieces
    group by person_id, month_start
),

-- A person's months run from the first in which any agency knows something to the month of death: each month with
-- something in it stands for the empty ones after it too.
months as (
    select
        summed.*,
        series.month_start::date as filled_month,
        (series.month_start + interval '1 month' - interval '1 day')::date as month_end,
        series.month_start::date = summed.month_start as is_told,
        persons.is_linked_to_treatment,
        persons.is_linked_to_police,
        persons.is_linked_to_benefits,
        persons.is_linked_to_housing,
        persons.is_linked_to_custody,
        persons.death_date
    from (
        select
            *,
            lead(month_start) over (partition by person_id order by month_start) - 1 as until_next
        from summed
    ) as summed
    inner join persons on summed.person_id = persons.person_id
    cross join lateral generate_series(
        summed.month_start::timestamp,
        least(summed.until_next, persons.last_month, persons.death_date)::timestamp,
        interval '1 month'
    ) as series (month_start)
)

select
    person_id,
    filled_month as month_start,
    case when is_linked_to_treatment then coalesce(days_in_treatment, 0) * is_told::integer end as days_in_treatment,
    case when is_told then drug_group end as drug_group,
    case when is_linked_to_police then coalesce(proven_offences, 0) * is_told::integer end as proven_offences,
    case when is_linked_to_police then coalesce(arrests, 0) * is_told::integer end as arrests,
    case when is_linked_to_benefits then coalesce(days_on_out_of_work_benefit, 0) * is_told::integer end
        as days_on_out_of_work_benefit,
    case when is_linked_to_benefits then coalesce(days_in_work, 0) * is_told::integer end as days_in_work,
    case when is_linked_to_housing and is_told then is_settled end as is_settled,
    case when is_linked_to_custody then coalesce(nights_in_custody, 0) * is_told::integer end as nights_in_custody,
    death_date > month_end as is_alive
from months
