-- Input of the minimal model, from `unit_to_lay_out` (record_no, unit_no, side, is_changed): records pooled into clients and into persons.
-- Each of a unit's initials with each of its dates of birth is a row; the places it was ever known at are lists, so that a
-- client's record made at one address under one name meets the person's whole history. Units that have not changed keep the rows
-- they have (`unit_row_kept`).

create or replace table unit_initials as
select unit_no, forename_initial, surname_initial, string_agg(distinct short_initials, '' order by short_initials) as short_initials
from unit_to_lay_out inner join record_initials using (record_no)
group by all;
create or replace table unit_dob as select distinct unit_no, dob from unit_to_lay_out inner join record_dob using (record_no);
create or replace table unit_places as
select
    unit_no,
    list_sort(list(distinct sector))   as sectors,
    list_sort(list(distinct district)) as districts,
    list_sort(list(distinct area))     as areas
from unit_to_lay_out inner join record_place using (record_no)
group by unit_no;
-- A sex that a unit's records disagree on is no evidence.
create or replace table unit_sex as
select u.unit_no, any_value(u.side) as side, any_value(u.is_changed) as is_changed, case when min(r.sex) = max(r.sex) then min(r.sex) end as sex
from unit_to_lay_out as u inner join record as r using (record_no)
group by u.unit_no;

create or replace table minimal_row as
select
    ((select coalesce(max(row_id), 0) from unit_row_kept) + row_number() over (order by u.unit_no, i.forename_initial, i.surname_initial, d.dob))::int as row_id,
    u.unit_no,
    u.side,
    i.forename_initial || i.surname_initial as initials,
    i.forename_initial,
    i.surname_initial,
    i.short_initials,
    d.dob,
    left(d.dob, 4)   as birth_year,
    left(d.dob, 7)   as birth_month,
    substr(d.dob, 6) as birth_day,
    u.sex,
    p.sectors,
    p.districts,
    p.areas,
    count(*) over (partition by u.unit_no) as rows_of_unit,
    u.is_changed
from unit_sex as u
inner join unit_initials as i using (unit_no)
inner join unit_dob as d using (unit_no)
left join unit_places as p using (unit_no);

insert into minimal_row by name select *, false as is_changed from unit_row_kept;

create or replace table client_row as select * exclude (side) from minimal_row where side = 'client';
create or replace table person_row as select * exclude (side) from minimal_row where side = 'person';
drop table minimal_row;
