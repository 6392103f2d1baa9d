-- Input of the minimal model on tokens, from `unit_to_lay_out` (record_no, unit_no, side), as `link/sql/minimal.sql` makes it from clear
-- identifiers. Initials and dates of birth are tokens of both together, so a unit's rows are the combinations that were recorded.

create or replace table unit_person as select distinct unit_no, side, p.* exclude (record_no) from unit_to_lay_out inner join record_person as p using (record_no);
create or replace table unit_places as
select
    unit_no,
    list_sort(list(distinct sector))   as sectors,
    list_sort(list(distinct district)) as districts,
    list_sort(list(distinct area))     as areas
from unit_to_lay_out inner join record_place using (record_no)
group by unit_no;

create or replace table minimal_row as
select
    (row_number() over (order by u.unit_no, u.forename_initial, u.surname_initial, u.dob, u.sex, u.short_initials))::int as row_id,
    u.*,
    u.forename_initial || u.surname_initial as initials,
    p.sectors,
    p.districts,
    p.areas,
    count(*) over (partition by u.unit_no) as rows_of_unit,
    true as is_changed
from unit_person as u left join unit_places as p using (unit_no);

create or replace table client_row as select * exclude (side) from minimal_row where side = 'client';
create or replace table person_row as select * exclude (side) from minimal_row where side = 'person';
drop table minimal_row;
