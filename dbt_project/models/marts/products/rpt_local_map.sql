{{ config(indexes=[
    {
        'columns': ['certainty', 'cut', 'financial_year', 'measure', 'area_level', 'area_code'],
        'unique': true
    }
]) }}

-- Treatment needs and offences where people live, in the smallest area that the agencies tell of all: the district. Of
-- offences police may also tell the LSOA in which they happened.
with journeys as (
    select
        journeys.journey_id,
        journeys.person_id,
        cuts.cut,
        journeys.start_date,
        coalesce(journeys.end_date, {{ night() }}) as end_date,
        episodes.local_authority_code
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_journey_cuts') }} as cuts on journeys.journey_id = cuts.journey_id
    inner join {{ ref('int_journey_episodes') }} as episodes
        on journeys.journey_id = episodes.journey_id and episodes.episodes_from_last = 1
),

treated as (
    select
        journeys.*,
        years.first_day::date as year_start
    from journeys
    cross join
        lateral generate_series(
            {{ financial_year_start('journeys.start_date') }}::timestamp,
            {{ financial_year_start('greatest(journeys.end_date, journeys.start_date)') }}::timestamp,
            interval '1 year'
        ) as years (first_day)
),

-- A record of a drug need outside treatment; the latest of a year says where the person lived.
needs as (
    select
        arrests.person_id,
        arrests.arrest_date as need_date,
        residence.local_authority_code
    from {{ ref('int_arrests') }} as arrests
    left join {{ ref('int_police_residence') }} as residence
        on
            arrests.person_id = residence.person_id
            and arrests.arrest_date between residence.start_date and {{ or_open('residence.end_date') }}
    where arrests.is_positive

    union all

    select
        person_id,
        start_date as need_date,
        local_authority_code
    from {{ ref('int_housing_drug_needs') }}
    where evidence = 'drug need when homeless'
),

untreated as (
    select distinct on (needs.person_id, {{ financial_year_start('needs.need_date') }})
        needs.person_id,
        needs.need_date,
        {{ financial_year_start('needs.need_date') }} as year_start,
        needs.local_authority_code
    from needs
    where
        not exists (
            select
            from treated
            where
                needs.person_id = treated.person_id
                and {{ financial_year_start('needs.need_date') }} = treated.year_start
        )
    order by
        needs.person_id asc, {{ financial_year_start('needs.need_date') }} asc, needs.need_date desc,
        needs.local_authority_code asc
),

offences as (
    select
        offences.person_id,
        offences.offence_date,
        offences.is_acquisitive,
        offences.lsoa_code,
        residence.local_authority_code
    from {{ ref('int_proven_offences') }} as offences
    left join {{ ref('int_police_residence') }} as residence
        on
            offences.person_id = residence.person_id
            and offences.offence_date between residence.start_date and {{ or_open('residence.end_date') }}
),

-- Who has no year of birth is taken for an adult, as in the cuts of journeys.
counted as (
    select
        person_id,
        cut,
        year_start,
        local_authority_code,
        null as lsoa_code,
        unnest(
            case
                when year_start = {{ financial_year_start('start_date') }}
                    then array['in treatment', 'started treatment']
                else array['in treatment']
            end
        ) as measure
    from treated

    union all

    select
        untreated.person_id,
        case
            when extract(year from untreated.need_date) - persons.birth_year < 18 then 'under 18' else 'adults'
        end as cut,
        untreated.year_start,
        untreated.local_authority_code,
        null as lsoa_code,
        'need not in treatment' as measure
    from untreated
    inner join {{ ref('int_persons') }} as persons on untreated.person_id = persons.person_id

    union all

    select
        offences.person_id,
        case
            when extract(year from offences.offence_date) - persons.birth_year < 18 then 'under 18' else 'adults'
        end as cut,
        {{ financial_year_start('offences.offence_date') }} as year_start,
        measured.local_authority_code,
        measured.lsoa_code,
        measured.measure
    from offences
    inner join {{ ref('int_persons') }} as persons on offences.person_id = persons.person_id
    cross join
        lateral (
            values
            ('proven offences', offences.local_authority_code, null, true),
            ('proven offenders', offences.local_authority_code, null, true),
            ('acquisitive offences', offences.local_authority_code, null, offences.is_acquisitive),
            ('offences here', null, offences.lsoa_code, offences.lsoa_code is not null)
        ) as measured (measure, local_authority_code, lsoa_code, is_counted)
    where measured.is_counted
),

-- A year is shown when every feed behind the measure is known to its end. Police tell offences once they are proven, so
-- the latest year still grows.
known as (
    select
        measures.measure,
        measures.counts,
        measures.years,
        min(
            case feeds.feed
                when 'treatment' then coverage.treatment_covered_until
                when 'police' then coverage.police_covered_until
                when 'housing' then coverage.housing_covered_until
            end
        ) as covered_until
    from {{ ref('local_map_measures') }} as measures
    cross join lateral unnest(string_to_array(measures.feeds, ';')) as feeds (feed)
    cross join {{ ref('int_feed_coverage') }} as coverage
    group by measures.measure, measures.counts, measures.years
),

-- Former districts lead to the present one. A county's own code names no district.
districts as (
    select
        lad_code as local_authority_code,
        current_lad_code as district_code,
        utla_code as authority_code
    from {{ ref('local_authorities') }}

    union

    select
        areas.local_authority_code,
        null as district_code,
        areas.area_code as authority_code
    from {{ ref('int_area_lookup') }} as areas
    where not exists (
        select
        from {{ ref('local_authorities') }} as own
        where areas.local_authority_code = own.lad_code
    )
),

-- The areas a count belongs to: a district and its authority, or an LSOA.
placed as (
    select
        counted.person_id,
        counted.cut,
        counted.year_start,
        counted.measure,
        areas.area_level,
        areas.area_code
    from counted
    left join districts on counted.local_authority_code = districts.local_authority_code
    cross join
        lateral (
            values
            ('district', districts.district_code),
            ('authority', districts.authority_code),
            ('lsoa', counted.lsoa_code)
        ) as areas (area_level, area_code)
    where areas.area_code is not null
),

-- By person first: people are then counted without sorting every event.
by_person as (
    select
        placed.person_id,
        placed.cut,
        placed.year_start,
        placed.measure,
        known.counts,
        placed.area_level,
        placed.area_code,
        count(*) as events
    from placed
    inner join known
        on
            placed.measure = known.measure
            and {{ financial_year_end('placed.year_start') }} <= known.covered_until
            and {{ financial_year_end('placed.year_start') }}
            > {{ add_months('known.covered_until', '-12 * known.years') }}
    group by
        placed.person_id, placed.cut, placed.year_start, placed.measure, known.counts, placed.area_level,
        placed.area_code
),

summed as (
    select
        certainties.certainty,
        by_person.cut,
        by_person.year_start,
        by_person.measure,
        by_person.counts,
        by_person.area_level,
        by_person.area_code,
        sum(by_person.events) as events,
        count(*) as people
    from by_person
    inner join {{ ref('int_person_certainties') }} as certainties on by_person.person_id = certainties.person_id
    where certainties.certainty = 'balanced' or by_person.cut = 'adults'
    group by
        certainties.certainty, by_person.cut, by_person.year_start, by_person.measure, by_person.counts,
        by_person.area_level, by_person.area_code
),

places as (
    select
        'district' as area_level,
        lad_code as area_code,
        lad_name as area_name,
        utla_code as authority_code,
        population_2020::integer as population,
        longitude::double precision as longitude,
        latitude::double precision as latitude
    from {{ ref('local_authorities') }}
    where is_current

    union all

    -- an authority lies where its people do
    select
        'authority' as area_level,
        utla_code as area_code,
        max(utla_name) as area_name,
        utla_code as authority_code,
        sum(population_2020)::integer as population,
        sum(longitude * population_2020) / sum(population_2020) filter (where longitude is not null) as longitude,
        sum(latitude * population_2020) / sum(population_2020) filter (where latitude is not null) as latitude
    from {{ ref('local_authorities') }}
    where is_current
    group by utla_code
)

-- The reference data hold no LSOAs: the code stands in for the name.
select
    summed.certainty,
    summed.cut,
    {{ financial_year('summed.year_start') }} as financial_year,
    summed.measure,
    summed.counts,
    summed.area_level,
    summed.area_code,
    coalesce(places.area_name, summed.area_code) as area_name,
    places.authority_code,
    (case summed.counts when 'people' then summed.people else summed.events end)::integer as count,
    summed.people::integer as people,
    places.population,
    places.longitude::numeric(9, 5) as longitude,
    places.latitude::numeric(9, 5) as latitude
from summed
left join places on summed.area_level = places.area_level and summed.area_code = places.area_code
order by
    summed.certainty, summed.cut, financial_year, summed.measure, summed.area_level, summed.area_code
