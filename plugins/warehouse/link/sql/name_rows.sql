-- From what `evidence.sql` makes to what the models read.

-- Input of the named model. One row per name of a named record.
create or replace table name_row as
with numbered as (select (row_number() over (order by record_no, surname, forename, dob))::int as row_id, * from record_name)
select
    n.row_id,
    n.record_no,
    r.feed,
    n.forename,
    coalesce(k.name_group, n.forename)   as forename_group,
    f.sound                              as forename_sound,
    n.middle_name,
    n.surname,
    s.sound                              as surname_sound,
    n.dob,
    left(n.dob, 4)                       as birth_year,
    substr(n.dob, 6)                     as birth_day,
    r.sex,
    r.nino,
    r.pnc_id,
    p.postcodes,
    p.sectors,
    p.districts,
    r.is_changed
from numbered as n
inner join record as r using (record_no)
left join record_places as p using (record_no)
left join name_sound as f on f.name = n.forename
left join name_sound as s on s.name = n.surname
-- A few short forms belong to different names for men and women; where the sex is unknown the men's list is read.
left join nickname as k on k.name = n.forename and k.sex = coalesce(r.sex, 'M');

-- One row per record and distinct date of birth it was given.
create or replace table record_dob as
select distinct r.record_no, e.dob
from evidence as e inner join record as r using (record_key)
where e.dob is not null;

-- Initials that names of the same nickname group begin with, such as BR for Robert.
create or replace table group_initials as
select sex, name_group, string_agg(distinct left(name, 1), '' order by left(name, 1)) as initials from nickname group by all;

-- One row per record and distinct pair of initials it was recorded under.
create or replace table record_initials as
select distinct
    n.record_no,
    left(n.forename, 1)                         as forename_initial,
    left(n.surname, 1)                          as surname_initial,
    coalesce(g.initials, left(n.forename, 1))   as short_initials
from name_row as n
left join group_initials as g on g.name_group = n.forename_group and g.sex = coalesce(n.sex, 'M')
where n.forename is not null and n.surname is not null
union
select r.record_no, e.forename_initial, e.surname_initial, e.forename_initial
from evidence as e inner join record as r using (record_key)
where not r.is_named and e.forename_initial is not null and e.surname_initial is not null;
