-- Offending in the year before a person was first named and in the year after. Lists are short, so all of it is built.
with parameters as (
    {{ priority_offender_parameters() }}
),

placed as (
    select
        spells.person_id,
        spells.start_date as nomination_date,
        spells.strand_code,
        spells.area_code,
        persons.sex,
        {{ age_band('persons.birth_year', 'spells.start_date') }} as age_band,
        coalesce(extract(year from spells.start_date)::integer - persons.birth_year >= 18, true) as is_adult,
        persons.death_date,
        persons.is_linked_to_police,
        {{ windows_around(
            'spells.start_date', 'parameters.window_value::integer', 'parameters.wait_value::integer'
        ) }}
    from {{ ref('int_priority_spells') }} as spells
    inner join {{ ref('int_persons') }} as persons on spells.person_id = persons.person_id
    cross join parameters
    where spells.spell_number = 1
),

bounded as (
    select
        *,
        greatest(least(after_before, {{ or_open('death_date') }}), nomination_date) as alive_before
    from placed
),

offended as (
    select
        bounded.person_id,
        count(*) filter (
            where
            offences.offence_date < bounded.nomination_date
            and offences.disposal_date < bounded.before_proven_before
        ) as offences_before,
        count(*) filter (
            where
            offences.offence_date >= bounded.nomination_date
            and offences.disposal_date < bounded.after_proven_before
        ) as offences_after
    from bounded
    inner join {{ ref('int_proven_offences') }} as offences
        on
            bounded.person_id = offences.person_id
            and bounded.before_from <= offences.offence_date
            and bounded.after_before > offences.offence_date
            and {{ or_open('bounded.death_date') }} >= offences.offence_date
    group by bounded.person_id
),

imprisoned as (
    {{ nights_in_custody_around('bounded', 'person_id', 'nomination_date') }}
),

-- The last treatment that began by the day of nomination says whether the person is of the cuts of clients.
treated as (
    select distinct on (bounded.person_id)
        bounded.person_id,
        journeys.journey_id
    from bounded
    inner join {{ ref('int_treatment_journeys') }} as journeys
        on bounded.person_id = journeys.person_id and bounded.nomination_date >= journeys.start_date
    order by bounded.person_id asc, journeys.start_date desc
),

clients as (
    select
        treated.person_id,
        bool_or(cuts.cut = 'alcohol only') as is_alcohol_only,
        bool_or(cuts.cut = 'parents') as is_parent
    from treated
    inner join {{ ref('int_journey_cuts') }} as cuts on treated.journey_id = cuts.journey_id
    group by treated.person_id
),

asked as (
    select
        bounded.*,
        bounded.before_proven_before - 1 as before_observable_on,
        bounded.after_proven_before - 1 as after_observable_on,
        coalesce(offended.offences_before, 0)::integer as offences_before,
        coalesce(offended.offences_after, 0)::integer as offences_after,
        bounded.nomination_date - bounded.before_from - coalesce(imprisoned.days_before, 0) as days_at_risk_before,
        bounded.alive_before - bounded.nomination_date - coalesce(imprisoned.days_after, 0) as days_at_risk_after,
        coalesce(clients.is_alcohol_only, false) as is_alcohol_only,
        coalesce(clients.is_parent, false) as is_parent,
        coalesce(reach.known_from <= bounded.before_from, false) as is_before_covered,
        {{ covered_until_with_custody(['police']) }} as covered_until
    from bounded
    left join offended on bounded.person_id = offended.person_id
    left join imprisoned on bounded.person_id = imprisoned.person_id
    left join clients on bounded.person_id = clients.person_id
    cross join {{ ref('int_police_reach') }} as reach
    cross join {{ ref('int_feed_coverage') }} as coverage
),

answered as (
    {{ answers_before_and_after('asked', 'nomination_date') }}
)

select
    person_id,
    nomination_date,
    strand_code,
    area_code,
    sex,
    age_band,
    is_adult,
    is_adult and is_alcohol_only as is_alcohol_only,
    is_adult and is_parent as is_parent,
    is_linked_to_police,
    before_observable_on,
    after_observable_on,
    offended_before,
    offended_after,
    is_compared,
    case when is_before_told then offences_before end as offences_before,
    case when is_after_told then offences_after end as offences_after,
    days_at_risk_before::integer as days_at_risk_before,
    days_at_risk_after::integer as days_at_risk_after
from answered
