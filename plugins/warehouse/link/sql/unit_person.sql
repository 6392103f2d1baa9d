-- What the units of `unit_to_lay_out` (record_no, unit_no, side, is_changed) were recorded as: each of a unit's initials with each of its
-- dates of birth is a row.

create or replace table unit_initials as
select unit_no, forename_initial, surname_initial, string_agg(distinct short_initials, '' order by short_initials) as short_initials
from unit_to_lay_out inner join record_initials using (record_no)
group by all;
-- A sex that a unit's records disagree on is no evidence.
create or replace table unit_sex as
select u.unit_no, any_value(u.side) as side, any_value(u.is_changed) as is_changed, case when min(r.sex) = max(r.sex) then min(r.sex) end as sex
from unit_to_lay_out as u inner join record as r using (record_no)
group by u.unit_no;

create or replace table unit_person as
with unit_dob as (select distinct unit_no, dob from unit_to_lay_out inner join record_dob using (record_no))
select
    u.unit_no,
    u.side,
    u.is_changed,
    i.forename_initial,
    i.surname_initial,
    i.short_initials,
    d.dob,
    left(d.dob, 4)   as birth_year,
    left(d.dob, 7)   as birth_month,
    substr(d.dob, 6) as birth_day,
    u.sex
from unit_sex as u inner join unit_initials as i using (unit_no) inner join unit_dob as d using (unit_no);
