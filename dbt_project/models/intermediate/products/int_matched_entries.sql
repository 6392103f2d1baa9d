{{ config(materialized='incremental', indexes=[{'columns': ['person_id']}]) }}

{%- set recent = 'entries.recent_from <= known_to_police.known_on' -%}

-- Whoever starts treatment, on that day; and everybody known to police on days drawn from the random id. Neither draw
-- nor day follows from anything that happened, so nobody is chosen by what became of them. What is counted lies before
-- the index date, but for the follow-up.
with rules as (
    select
        max(value) filter (where rule = 'look_back')::integer as look_back,
        max(value) filter (where rule = 'recent')::integer as recent,
        max(value) filter (where rule = 'spacing')::integer as spacing
    from {{ ref('matched_comparison_rules') }}
),

regions as (
    select
        utla_code as area_code,
        max(region_code) as region_code
    from {{ ref('local_authorities') }}
    group by utla_code
),

follow_up as (
    select
        window_length,
        wait_months
    from {{ ref('indicator_definitions') }}
    where indicator = 'proven_reoffence_from_start_12m'
),

-- A night's persons to build are few: everything below reads them alone.
known_to_police as (
    select
        person_id,
        disposal_date as known_on,
        true as is_sanction,
        is_acquisitive,
        is_drug_related,
        false as is_positive
    from {{ ref('int_proven_offences') }}
    where {{ to_build('person_id') }}

    union all

    select
        person_id,
        arrest_date as known_on,
        false as is_sanction,
        false as is_acquisitive,
        false as is_drug_related,
        is_positive
    from {{ ref('int_arrests') }}
    where {{ to_build('person_id') }}
),

known_spans as (
    select
        known_to_police.person_id,
        min(known_to_police.known_on) as first_known_on,
        {{ add_months('max(known_to_police.known_on)', 'max(rules.look_back)') }} as last_known_on,
        ('x' || left(md5(known_to_police.person_id::text), 7))::bit(28)::integer as draw
    from known_to_police
    cross join rules
    group by known_to_police.person_id
),

-- Every so many quarters, from the first whose number leaves the same remainder as the draw.
first_quarters as (
    select
        known_spans.person_id,
        known_spans.draw,
        known_spans.last_known_on,
        rules.spacing,
        date_trunc('quarter', known_spans.first_known_on::timestamp) as start_date,
        (
            extract(year from known_spans.first_known_on) * 4 + extract(quarter from known_spans.first_known_on)
        )::integer as quarter_number
    from known_spans
    cross join rules
),

quarters as (
    select
        person_id,
        draw,
        generate_series(
            start_date
            + make_interval(months => 3 * mod(mod(draw, spacing) - mod(quarter_number, spacing) + spacing, spacing)),
            last_known_on,
            make_interval(months => 3 * spacing)
        )::date as start_date
    from first_quarters
),

drawn as (
    select
        person_id,
        start_date + draw / 64 % ({{ add_months('start_date', '3') }} - start_date) as index_date
    from quarters
),

entered as (
    select
        person_id,
        'treatment start' as exposure,
        journey_id,
        start_date as index_date
    from {{ ref('int_treatment_journeys') }}
    where {{ to_build('person_id') }}

    union all

    select
        person_id,
        'none' as exposure,
        null as journey_id,
        index_date
    from drawn
),

entries as (
    select
        {{ surrogate_key(['entered.person_id', 'entered.exposure', 'entered.index_date', 'entered.journey_id']) }}
            as entry_id,
        entered.*,
        persons.sex,
        extract(year from entered.index_date)::integer - persons.birth_year as age,
        persons.death_date,
        {{ add_months('entered.index_date', '-rules.look_back') }} as known_from,
        {{ add_months('entered.index_date', '-rules.recent') }} as recent_from,
        {{ add_months('entered.index_date', 'follow_up.window_length') }} as offences_before,
        {{ add_months('entered.index_date', 'follow_up.window_length + follow_up.wait_months') }} as proven_before
    from entered
    cross join rules
    cross join follow_up
    inner join {{ ref('int_persons') }} as persons on entered.person_id = persons.person_id
    where {{ or_open('persons.death_date') }} >= entered.index_date
),

histories as (
    select
        entries.entry_id,
        count(*) filter (where known_to_police.is_sanction)::integer as sanctions,
        count(*) filter (where known_to_police.is_sanction and {{ recent }})::integer as recent_sanctions,
        count(*) filter (where not known_to_police.is_sanction and {{ recent }})::integer as recent_arrests,
        count(*) filter (where known_to_police.is_acquisitive and {{ recent }})::integer
            as recent_acquisitive_sanctions,
        count(*) filter (where known_to_police.is_drug_related and {{ recent }})::integer
            as recent_drug_related_sanctions,
        count(*) filter (where known_to_police.is_positive and {{ recent }})::integer as recent_positive_tests,
        min(entries.index_date - known_to_police.known_on)::integer as days_since_known
    from entries
    inner join known_to_police
        on
            entries.person_id = known_to_police.person_id
            and entries.index_date > known_to_police.known_on
            and entries.known_from <= known_to_police.known_on
    group by entries.entry_id
),

imprisoned as (
    select
        entries.entry_id,
        sum({{ nights_within(
            'custody.start_date', 'custody.end_date', 'entries.recent_from', 'entries.index_date'
        ) }})::integer as custody_nights,
        -- released on the index date is at liberty
        bool_or({{ or_open('custody.end_date') }} > entries.index_date) as is_in_custody
    from entries
    inner join {{ ref('int_time_in_custody') }} as custody
        on
            entries.person_id = custody.person_id
            and entries.index_date >= custody.start_date
            and entries.recent_from < {{ or_open('custody.end_date') }}
    group by entries.entry_id
),

claiming as (
    select entries.entry_id
    from entries
    inner join {{ ref('int_out_of_work_spells') }} as claims
        on
            entries.person_id = claims.person_id
            and entries.index_date between claims.start_date and {{ or_open('claims.end_date') }}
    group by entries.entry_id
),

treated as (
    select
        entries.entry_id,
        bool_or(journeys.start_date < entries.index_date) as was_treated_before,
        bool_or(
            journeys.start_date < date_trunc('quarter', entries.index_date) + interval '3 months'
            and {{ or_open('journeys.end_date') }} >= entries.index_date
        ) as is_in_treatment,
        bool_or(
            journeys.start_date > entries.index_date and journeys.start_date < entries.offences_before
        ) as is_treated_later
    from entries
    inner join {{ ref('int_treatment_journeys') }} as journeys on entries.person_id = journeys.person_id
    group by entries.entry_id
),

reoffended as (
    select
        entries.entry_id,
        count(*)::integer as reoffences,
        min(offences.offence_date - entries.index_date)::integer as days_to_first
    from entries
    inner join {{ ref('int_proven_offences') }} as offences
        on
            entries.person_id = offences.person_id
            and entries.index_date <= offences.offence_date
            and entries.offences_before > offences.offence_date
            and entries.index_date <= offences.disposal_date
            and entries.proven_before > offences.disposal_date
            and {{ or_open('entries.death_date') }} >= offences.offence_date
    group by entries.entry_id
)

select
    entries.entry_id,
    entries.person_id,
    entries.exposure,
    entries.journey_id,
    entries.index_date,
    entries.proven_before - 1 as observable_on,
    entries.sex,
    entries.age,
    coalesce(entries.age < 18, false) as is_under_18,
    coalesce(profiles.drug_group = 'alcohol only', false) as is_alcohol_only,
    coalesce(profiles.has_children_at_home, false) as has_children_at_home,
    regions.region_code,
    histories.sanctions,
    histories.recent_sanctions,
    histories.recent_arrests,
    histories.recent_acquisitive_sanctions,
    histories.recent_drug_related_sanctions,
    histories.recent_positive_tests,
    histories.days_since_known,
    coalesce(imprisoned.custody_nights, 0) as recent_custody_nights,
    coalesce(treated.was_treated_before, false) as was_treated_before,
    -- going on, or starting in the same quarter, when the person could be matched to itself
    coalesce(treated.is_in_treatment, false) as is_in_treatment,
    claiming.entry_id is not null as is_on_out_of_work_benefit,
    coalesce(treated.is_treated_later, false) as is_treated_later,
    coalesce(reoffended.reoffences, 0) as reoffences,
    reoffended.days_to_first,
    entries.death_date < entries.offences_before as is_dead_in_follow_up
from entries
inner join histories on entries.entry_id = histories.entry_id
left join {{ ref('int_journey_profiles') }} as profiles on entries.journey_id = profiles.journey_id
left join imprisoned on entries.entry_id = imprisoned.entry_id
left join claiming on entries.entry_id = claiming.entry_id
left join treated on entries.entry_id = treated.entry_id
left join reoffended on entries.entry_id = reoffended.entry_id
left join {{ ref('int_police_residence') }} as residence
    on
        entries.person_id = residence.person_id
        and entries.index_date between residence.start_date and {{ or_open('residence.end_date') }}
left join regions on residence.area_code = regions.area_code
where not coalesce(imprisoned.is_in_custody, false)
