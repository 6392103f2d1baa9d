{{ config(indexes=[{'columns': ['person_id']}]) }}

-- People first named in a quarter, and people with as recent offences who had not been named: both sides are described
-- and followed from the first day of the next quarter. Nobody is left out for what came after it; whoever is named
-- later may stand in the comparison before.
with parameters as (
    {{ priority_offender_parameters() }}
),

first_named as (
    select
        person_id,
        start_date as nomination_date,
        (date_trunc('quarter', start_date) + interval '3 months')::date as index_date
    from {{ ref('int_priority_spells') }}
    where spell_number = 1
),

-- The quarters at whose start a person had lately been proven to offend. The draw knows nothing of what comes later.
quarters as (
    select distinct
        offences.person_id,
        quarters.first_day::date as index_date
    from {{ ref('int_proven_offences') }} as offences
    cross join parameters
    cross join
        lateral generate_series(
            date_trunc('quarter', offences.disposal_date::timestamp) + interval '3 months',
            least(
                offences.disposal_date + make_interval(months => parameters.lookback_value::integer),
                {{ night() }}
            ),
            interval '3 months'
        ) as quarters (first_day)
    where
        ('x' || left(md5(offences.person_id::text || quarters.first_day::date::text), 8))::bit(32)::bigint
        < parameters.comparison_share_value * 4294967296
),

drawn as (
    select
        quarters.person_id,
        quarters.index_date
    from quarters
    left join first_named on quarters.person_id = first_named.person_id
    where first_named.nomination_date is null or first_named.nomination_date >= quarters.index_date
    order by md5(quarters.person_id::text || quarters.index_date::text)
    limit (select parameters.comparison_most_value::bigint from parameters)
),

entries as (
    select
        person_id,
        index_date,
        true as is_named
    from first_named

    union all

    select
        person_id,
        index_date,
        false as is_named
    from drawn
),

described as (
    select
        entries.person_id,
        entries.index_date,
        entries.is_named,
        persons.sex,
        persons.birth_year,
        persons.death_date,
        {{ add_months('entries.index_date', '-parameters.lookback_value::integer') }} as lookback_from,
        {{ add_months('entries.index_date', 'parameters.window_value::integer') }} as offences_before,
        {{ add_months('entries.index_date', '(parameters.window_value + parameters.wait_value)::integer') }}
            as proven_before,
        parameters.least_offences_value as least_offences
    from entries
    inner join {{ ref('int_persons') }} as persons on entries.person_id = persons.person_id
    cross join {{ ref('int_police_reach') }} as reach
    cross join {{ ref('int_feed_coverage') }} as coverage
    cross join parameters
    where
        {{ or_open('persons.death_date') }} > entries.index_date
        and reach.known_from <= {{ add_months('entries.index_date', '-parameters.lookback_value::integer') }}
        and {{ add_months('entries.index_date', '(parameters.window_value + parameters.wait_value)::integer') }} - 1
        <= {{ covered_until_with_custody(['police', 'priority_offenders']) }}
),

offended as (
    select
        described.person_id,
        described.index_date,
        described.is_named,
        count(*) filter (
            where offences.disposal_date >= described.lookback_from and offences.disposal_date < described.index_date
        ) as proven_24m,
        count(*) filter (
            where
            offences.disposal_date >= described.index_date - interval '12 months'
            and offences.disposal_date < described.index_date
        ) as proven_12m,
        count(*) filter (
            where
            offences.disposal_date >= described.index_date - interval '6 months'
            and offences.disposal_date < described.index_date
        ) as proven_6m,
        count(*) filter (where offences.disposal_date < described.index_date) as proven_ever,
        count(*) filter (
            where
            offences.disposal_date >= described.lookback_from and offences.disposal_date < described.index_date
            and offences.is_acquisitive
        ) as acquisitive_24m,
        described.index_date
        - max(offences.disposal_date) filter (where offences.disposal_date < described.index_date) as days_since_proven,
        count(*) filter (
            where
            offences.offence_date >= described.index_date
            and offences.offence_date < described.offences_before
            and offences.offence_date <= {{ or_open('described.death_date') }}
            and offences.disposal_date >= described.index_date
            and offences.disposal_date < described.proven_before
        ) as reoffences,
        min(offences.offence_date) filter (
            where
            offences.offence_date >= described.index_date
            and offences.offence_date < described.offences_before
            and offences.offence_date <= {{ or_open('described.death_date') }}
            and offences.disposal_date >= described.index_date
            and offences.disposal_date < described.proven_before
        ) - described.index_date as days_to_first
    from described
    inner join {{ ref('int_proven_offences') }} as offences on described.person_id = offences.person_id
    group by
        described.person_id, described.index_date, described.is_named, described.lookback_from
),

imprisoned as (
    select distinct
        described.person_id,
        described.index_date,
        true as is_in_custody
    from described
    inner join {{ ref('int_time_in_custody') }} as custody
        on
            described.person_id = custody.person_id
            and described.index_date >= custody.start_date
            and described.index_date < {{ or_open('custody.end_date') }}
),

treated as (
    select
        described.person_id,
        described.index_date,
        bool_or({{ or_open('journeys.end_date') }} >= described.index_date) as is_in_treatment
    from described
    inner join {{ ref('int_treatment_journeys') }} as journeys
        on described.person_id = journeys.person_id and described.index_date >= journeys.start_date
    group by described.person_id, described.index_date
)

select
    {{ surrogate_key(['described.person_id', 'described.index_date', 'described.is_named']) }} as entry_id,
    described.person_id,
    described.index_date,
    described.is_named,
    described.sex,
    extract(year from described.index_date)::integer - described.birth_year as age,
    offended.proven_24m::integer as proven_24m,
    offended.proven_12m::integer as proven_12m,
    offended.proven_6m::integer as proven_6m,
    offended.proven_ever::integer as proven_ever,
    offended.acquisitive_24m::integer as acquisitive_24m,
    offended.days_since_proven::integer as days_since_proven,
    coalesce(imprisoned.is_in_custody, false) as is_in_custody,
    coalesce(treated.is_in_treatment, false) as is_in_treatment,
    treated.person_id is not null as has_been_treated,
    offended.reoffences::integer as reoffences,
    offended.days_to_first::integer as days_to_first
from described
inner join offended
    on
        described.person_id = offended.person_id
        and described.index_date = offended.index_date
        and described.is_named = offended.is_named
left join imprisoned
    on described.person_id = imprisoned.person_id and described.index_date = imprisoned.index_date
left join treated on described.person_id = treated.person_id and described.index_date = treated.index_date
where
    offended.proven_24m >= described.least_offences
    -- whoever died in the year without an offence in it was not followed to its end
    and (offended.reoffences > 0 or {{ or_open('described.death_date') }} >= described.offences_before)
