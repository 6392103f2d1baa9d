{{ config(indexes=[
    {
        'columns': ['certainty', 'cut', 'financial_year', 'measure', 'area_level', 'area_code'],
        'unique': true
    }
]) }}

-- Treatment needs and offences where people live, in the smallest area that the agencies tell of all: the district. Of
-- offences police may also tell the LSOA in which they happened.
with known as (
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

-- A year is shown when every feed behind the measure is known to its end. Police tell offences once they are proven, so
-- the latest year still grows.
shown as (
    select
        known.measure,
        known.counts,
        year.first::date as year_start,
        {{ financial_year_end('year.first') }} as year_end
    from known
    cross join
        lateral generate_series(
            {{ financial_year_start(add_months('known.covered_until', '-12 * known.years')) }},
            known.covered_until,
            interval '1 year'
        ) as year (first)
    where
        {{ financial_year_end('year.first') }} <= known.covered_until
        and {{ financial_year_end('year.first') }} > {{ add_months('known.covered_until', '-12 * known.years') }}
),

years as (
    select distinct
        year_start,
        year_end
    from shown
),

treated as (
    select
        journeys.journey_id,
        journeys.person_id,
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        years.year_start,
        journeys.start_date >= years.year_start as is_start
    from {{ ref('int_treatment_journeys') }} as journeys
    inner join {{ ref('int_person_standing') }} as standing on journeys.person_id = standing.person_id
    inner join years
        on
            journeys.start_date <= years.year_end
            and greatest(coalesce(journeys.end_date, {{ night() }}), journeys.start_date) >= years.year_start
),

-- A record of a drug need outside treatment; the latest of a year says where the person lived.
needs as (
    select
        arrests.person_id,
        arrests.arrest_date as need_date,
        years.year_start,
        residence.local_authority_code
    from {{ ref('int_arrests') }} as arrests
    inner join years on arrests.arrest_date between years.year_start and years.year_end
    left join {{ ref('int_police_residence') }} as residence
        on
            arrests.person_id = residence.person_id
            and arrests.arrest_date between residence.start_date and {{ or_open('residence.end_date') }}
    where arrests.is_positive and arrests.arrest_date >= (select min(shown.year_start) from shown)

    union all

    select
        housed.person_id,
        housed.start_date as need_date,
        years.year_start,
        housed.local_authority_code
    from {{ ref('int_housing_drug_needs') }} as housed
    inner join years on housed.start_date between years.year_start and years.year_end
    where housed.evidence = 'drug need when homeless'
),

untreated as (
    select distinct on (needs.person_id, needs.year_start)
        needs.person_id,
        needs.need_date,
        needs.year_start,
        needs.local_authority_code
    from needs
    where
        not exists (
            select
            from treated
            where needs.person_id = treated.person_id and needs.year_start = treated.year_start
        )
    order by needs.person_id asc, needs.year_start asc, needs.need_date desc, needs.local_authority_code asc
),

-- What police and housing tell of a person outside treatment: needs and offences.
told as (
    select
        untreated.person_id,
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        extract(year from untreated.need_date) - persons.birth_year as age,
        untreated.year_start,
        untreated.local_authority_code,
        null as lsoa_code,
        1 as untreated,
        0 as offences,
        0 as acquisitive
    from untreated
    inner join {{ ref('int_persons') }} as persons on untreated.person_id = persons.person_id
    inner join {{ ref('int_person_standing') }} as standing on untreated.person_id = standing.person_id

    union all

    select
        offences.person_id,
        standing.is_strict,
        standing.is_balanced,
        standing.is_inclusive,
        extract(year from offences.offence_date) - persons.birth_year as age,
        years.year_start,
        residence.local_authority_code,
        offences.lsoa_code,
        0 as untreated,
        1 as offences,
        offences.is_acquisitive::integer as acquisitive
    from {{ ref('int_proven_offences') }} as offences
    inner join years on offences.offence_date between years.year_start and years.year_end
    inner join {{ ref('int_persons') }} as persons on offences.person_id = persons.person_id
    inner join {{ ref('int_person_standing') }} as standing on offences.person_id = standing.person_id
    left join {{ ref('int_police_residence') }} as residence
        on
            offences.person_id = residence.person_id
            and offences.offence_date between residence.start_date and {{ or_open('residence.end_date') }}
    where offences.offence_date >= (select min(shown.year_start) from shown)
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

-- What is told of a person counts in a district and in its authority.
areas as (
    select
        districts.local_authority_code,
        level.area_level,
        level.area_code
    from districts
    cross join
        lateral (
            values
            ('district', districts.district_code),
            ('authority', districts.authority_code)
        ) as level (area_level, area_code)
    where level.area_code is not null
),

-- By person first, on narrow rows: people are then counted without sorting every event.
treated_people as (
    select
        treated.person_id,
        treated.is_strict,
        treated.is_balanced,
        treated.is_inclusive,
        cuts.cut,
        treated.year_start,
        areas.area_level,
        areas.area_code,
        bool_or(treated.is_start) as is_start
    from treated
    inner join {{ ref('int_journey_cuts') }} as cuts on treated.journey_id = cuts.journey_id
    inner join {{ ref('int_journey_episodes') }} as episodes
        on treated.journey_id = episodes.journey_id and episodes.episodes_from_last = 1
    inner join areas on episodes.local_authority_code = areas.local_authority_code
    group by
        treated.person_id, treated.is_strict, treated.is_balanced, treated.is_inclusive, cuts.cut, treated.year_start,
        areas.area_level, areas.area_code
),

-- Who has no year of birth is taken for an adult, as in the cuts of journeys.
told_places as (
    select
        told.*,
        case when told.age < 18 then 'under 18' else 'adults' end as cut,
        areas.area_level,
        areas.area_code
    from told
    inner join areas on told.local_authority_code = areas.local_authority_code

    union all

    select
        told.*,
        case when told.age < 18 then 'under 18' else 'adults' end as cut,
        'lsoa' as area_level,
        told.lsoa_code as area_code
    from told
    where told.lsoa_code is not null
),

told_people as (
    select
        person_id,
        is_strict,
        is_balanced,
        is_inclusive,
        cut,
        year_start,
        area_level,
        area_code,
        sum(untreated) as untreated,
        sum(offences) as offences,
        sum(acquisitive) as acquisitive
    from told_places
    group by person_id, is_strict, is_balanced, is_inclusive, cut, year_start, area_level, area_code
),

treated_cells as (
    select
        is_strict,
        is_balanced,
        is_inclusive,
        cut,
        year_start,
        area_level,
        area_code,
        count(*) as people,
        count(*) filter (where is_start) as people_starting
    from treated_people
    group by is_strict, is_balanced, is_inclusive, cut, year_start, area_level, area_code
),

told_cells as (
    select
        is_strict,
        is_balanced,
        is_inclusive,
        cut,
        year_start,
        area_level,
        area_code,
        count(*) filter (where untreated > 0) as people_untreated,
        sum(offences) as offences,
        count(*) filter (where offences > 0) as offenders,
        sum(acquisitive) as acquisitive,
        count(*) filter (where acquisitive > 0) as acquisitive_offenders
    from told_people
    group by is_strict, is_balanced, is_inclusive, cut, year_start, area_level, area_code
),

cells as (
    select
        treated_cells.is_strict,
        treated_cells.is_balanced,
        treated_cells.is_inclusive,
        treated_cells.cut,
        treated_cells.year_start,
        treated_cells.area_level,
        treated_cells.area_code,
        measured.measure,
        measured.people as events,
        measured.people
    from treated_cells
    cross join
        lateral (
            values
            ('in treatment', treated_cells.people),
            ('started treatment', treated_cells.people_starting)
        ) as measured (measure, people)

    union all

    select
        told_cells.is_strict,
        told_cells.is_balanced,
        told_cells.is_inclusive,
        told_cells.cut,
        told_cells.year_start,
        told_cells.area_level,
        told_cells.area_code,
        measured.measure,
        measured.events,
        measured.people
    from told_cells
    cross join
        lateral (
            values
            ('need not in treatment', told_cells.people_untreated, told_cells.people_untreated, true),
            ('proven offences', told_cells.offences, told_cells.offenders, told_cells.area_level != 'lsoa'),
            ('proven offenders', told_cells.offences, told_cells.offenders, told_cells.area_level != 'lsoa'),
            (
                'acquisitive offences',
                told_cells.acquisitive,
                told_cells.acquisitive_offenders,
                told_cells.area_level != 'lsoa'
            ),
            ('offences here', told_cells.offences, told_cells.offenders, told_cells.area_level = 'lsoa')
        ) as measured (measure, events, people, is_asked)
    where measured.is_asked
),

summed as (
    select
        each.certainty,
        cells.cut,
        cells.year_start,
        shown.measure,
        shown.counts,
        cells.area_level,
        cells.area_code,
        sum(cells.events) as events,
        sum(cells.people) as people
    from cells
    cross join {{ each_certainty('cells') }}
    inner join shown on cells.measure = shown.measure and cells.year_start = shown.year_start
    where each.is_counted and cells.people > 0
    group by
        each.certainty, cells.cut, cells.year_start, shown.measure, shown.counts, cells.area_level, cells.area_code
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
