-- From the identifiers as agencies hold them (table raw_evidence) to standardised evidence about each record.
-- Variable `night` is the date of the run. Aliases, former names and earlier addresses are further evidence about the same record,
-- never further records.

-- What each name as written stands for, with the names inside it: the same few spellings come again and again, so each is
-- looked at once. The same for places.
create or replace table spelling as
select written, clean_name(written) as name, further_parts(written) as parts
from (
    select forename as written from raw_evidence
    union select middle_name from raw_evidence
    union select surname from raw_evidence
    union select previous_surname from raw_evidence
    union select forename_initial from raw_evidence
    union select surname_initial from raw_evidence
)
where written is not null;
create or replace table name_sound as
select name, sound_key(name) as sound
from (select name from spelling union select unnest(parts) from spelling)
where name is not null;
create or replace table written_postcode as
select written, clean_postcode(written) as postcode
from (select postcode as written from raw_evidence union select previous_postcode from raw_evidence)
where written is not null;
create or replace table written_sector as
select written, clean_sector(written) as sector from (select distinct postcode_sector as written from raw_evidence where postcode_sector is not null);

create or replace table evidence as
select distinct
    e.record_key,
    e.feed,
    e.is_named,
    e.is_main,
    forename.name                          as forename,
    middle_name.name                       as middle_name,
    surname.name                           as surname,
    previous_surname.name                  as previous_surname,
    left(forename_initial.name, 1)         as forename_initial,
    left(surname_initial.name, 1)          as surname_initial,
    clean_dob(e.dob, getvariable('night')) as dob,
    clean_sex(e.sex)                       as sex,
    clean_nino(e.nino)                     as nino,
    clean_pnc_id(e.pnc_id)                 as pnc_id,
    postcode.postcode                      as postcode,
    previous_postcode.postcode             as previous_postcode,
    postcode_sector.sector                 as postcode_sector,
    forename.parts                         as forename_parts,
    coalesce(surname.parts, []) || coalesce(previous_surname.parts, []) as surname_parts
from raw_evidence as e
left join spelling as forename on forename.written = e.forename
left join spelling as middle_name on middle_name.written = e.middle_name
left join spelling as surname on surname.written = e.surname
left join spelling as previous_surname on previous_surname.written = e.previous_surname
left join spelling as forename_initial on forename_initial.written = e.forename_initial
left join spelling as surname_initial on surname_initial.written = e.surname_initial
left join written_postcode as postcode on postcode.written = e.postcode
left join written_postcode as previous_postcode on previous_postcode.written = e.previous_postcode
left join written_sector as postcode_sector on postcode_sector.written = e.postcode_sector;

-- One row per agency record. Numbers follow the order of the keys, so the same records always get the same numbers; on nights that the
-- next one goes on from they lie `room` apart, for new records to find theirs between their neighbours. All that is standardised
-- here has changed since the night before, or is treated so; an incremental night adds the records that have not.
create or replace table record as
select
    (row_number() over (order by record_key) * getvariable('room'))::int as record_no,
    record_key,
    min(feed)         as feed,
    bool_or(is_named) as is_named,
    min(sex)          as sex,
    min(nino)         as nino,
    min(pnc_id)       as pnc_id,
    bool_or(is_named and (surname is not null or previous_surname is not null))                             as has_surname,
    bool_or(dob is not null)                                                                                as has_dob,
    bool_or(postcode is not null or previous_postcode is not null or postcode_sector is not null)           as has_place,
    true              as is_changed
from evidence
group by record_key;

-- One row per named record and further name inside one of its names: a half of a double-barrelled forename or surname, a
-- surname without its particles.
create or replace table part_name as
select record_key, forename, middle_name, unnest(surname_parts) as surname, dob from evidence where is_named and len(surname_parts) > 0
union
select record_key, unnest(forename_parts), middle_name, surname, dob from evidence where is_named and len(forename_parts) > 0;

-- One row per named record and distinct name it is or was known by, with the date of birth that goes with the name.
create or replace table record_name as
with main as (
    select r.record_no, e.forename, e.middle_name, e.surname, e.previous_surname, e.dob
    from evidence as e inner join record as r using (record_key)
    where e.is_main and r.is_named
),
further as (
    select r.record_no, e.forename, e.surname, e.dob
    from evidence as e inner join record as r using (record_key)
    where not e.is_main and r.is_named and (e.forename is not null or e.surname is not null)
)
select record_no, forename, middle_name, surname, dob from main
union
select record_no, forename, middle_name, previous_surname, dob from main where previous_surname is not null
union
select f.record_no, coalesce(f.forename, m.forename), m.middle_name, coalesce(f.surname, m.surname), coalesce(f.dob, m.dob)
from further as f left join main as m using (record_no)
union
select r.record_no, p.forename, p.middle_name, p.surname, p.dob from part_name as p inner join record as r using (record_key);

-- One row per record and place it was known at: full postcode where there is one, else the sector alone.
create or replace table record_place as
with place as (
    select record_key, postcode, sector_of_postcode(postcode) as sector from evidence where postcode is not null
    union
    select record_key, previous_postcode, sector_of_postcode(previous_postcode) from evidence where previous_postcode is not null
    union
    select record_key, null, postcode_sector from evidence where postcode_sector is not null
)
select distinct r.record_no, p.postcode, p.sector, district_of_sector(p.sector) as district, area_of_sector(p.sector) as area
from place as p inner join record as r using (record_key);
