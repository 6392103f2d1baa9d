-- Input of the minimal model, from `unit_to_lay_out` (record_no, unit_no, side, is_changed), records pooled into clients and into persons, and
-- `unit_person`, what they were recorded as. The places a unit was ever known at are lists, so that a client's record made at one
-- address under one name meets the person's whole history. Units that have not changed keep the rows they have (`unit_row_kept`).

create or replace table unit_row as
with unit_place as (select u.unit_no, p.sector, p.district, p.area from unit_to_lay_out as u inner join record_place as p using (record_no)),
several as (select unit_no from unit_place group by unit_no having count(*) > 1),
unit_places as (
    select unit_no, [sector] as sectors, [district] as districts, [area] as areas from unit_place anti join several using (unit_no)
    union all
    select unit_no, list_sort(list(distinct sector)), list_sort(list(distinct district)), list_sort(list(distinct area))
    from unit_place semi join several using (unit_no)
    group by unit_no
),
numbered as (
    select
        (
            (select coalesce(max(row_id), 0) from earlier_unit_row)
            + row_number() over (order by unit_no, forename_initial, surname_initial, dob, sex, short_initials)
        )::int as row_id,
        *,
        count(*) over (partition by unit_no) as rows_of_unit
    from unit_person
)
select u.*, u.forename_initial || u.surname_initial as initials, p.sectors, p.districts, p.areas
from numbered as u left join unit_places as p using (unit_no);

create or replace temp view client_row as
select * exclude (side) from unit_row where side = 'client'
union all by name
select * exclude (side), false as is_changed from unit_row_kept where side = 'client';
create or replace temp view person_row as
select * exclude (side) from unit_row where side = 'person'
union all by name
select * exclude (side), false as is_changed from unit_row_kept where side = 'person';
