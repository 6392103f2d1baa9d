-- Tonight's evidence, put together from what an earlier night kept and what has changed since. The tables of the earlier night are
-- in schema `earlier`, the records that have changed, standardised, in schema `fresh`; `gone_record` (record_key) lists those no longer
-- held. Most of it is views: what has not changed is read from the files when it is asked for, and much of it never is.

-- Every changed record with its number: its own where it has one, else one between those of its neighbours by key, if they leave room.
create or replace table number as
with newcomer as (
    select f.record_no, f.record_key, coalesce(b.record_no, 0) as below, coalesce(a.record_no, 600000000) as above
    from (from fresh.record anti join earlier.record using (record_key)) as f
    asof left join earlier.record as b on f.record_key > b.record_key
    asof left join earlier.record as a on f.record_key < a.record_key
),
placed as (
    select *, row_number() over (partition by below order by record_key) as place, count(*) over (partition by below) as places from newcomer
)
select e.record_no as now_no, f.record_no, true as has_room from fresh.record as f inner join earlier.record as e using (record_key)
union all
select (below + (above - below)::bigint * place // (places + 1))::int, record_no, above - below > places from placed;

-- What the earlier night says of these is no longer so.
create or replace table replaced as
select record_no from earlier.record semi join (from gone_record union all select record_key from fresh.record) using (record_key);

create or replace view record_hash as
select * from earlier.record_hash
where record_key not in (from gone_record) and record_key not in (select record_key from fresh.record)
union all by name
select * from fresh_hash semi join fresh.record using (record_key);

create or replace view record as
select *, false as is_changed from earlier.record anti join replaced using (record_no)
union all by name
select * exclude (now_no, has_room) replace (now_no as record_no) from fresh.record inner join number using (record_no);

create or replace table name_row_added as
select
    * exclude (now_no, has_room)
    replace (now_no as record_no, row_id + (select coalesce(max(row_id), 0)::int from earlier.name_row) as row_id)
from fresh.name_row inner join number using (record_no);
create or replace view name_row as
select *, false as is_changed from earlier.name_row anti join replaced using (record_no)
union all by name
from name_row_added;

create or replace view record_place as
from earlier.record_place anti join replaced using (record_no)
union all by name
select * exclude (now_no, has_room) replace (now_no as record_no) from fresh.record_place inner join number using (record_no);

create or replace view record_places as
from earlier.record_places anti join replaced using (record_no)
union all by name
select * exclude (now_no, has_room) replace (now_no as record_no) from fresh.record_places inner join number using (record_no);

create or replace view record_dob as
from earlier.record_dob anti join replaced using (record_no)
union all by name
select * exclude (now_no, has_room) replace (now_no as record_no) from fresh.record_dob inner join number using (record_no);

create or replace view record_initials as
from earlier.record_initials anti join replaced using (record_no)
union all by name
select * exclude (now_no, has_room) replace (now_no as record_no) from fresh.record_initials inner join number using (record_no);

-- What was counted and scored. Edges and weights stay where neither end has changed; of units, `minimal` finds the changed.
create or replace table population as from earlier.population;
create or replace table term as from earlier.term;
create or replace view earlier_named_edge as
from earlier.named_edge where record_l not in (from replaced) and record_r not in (from replaced);
create or replace view earlier_client_weight as
from earlier.client_weight where unit_a not in (from replaced) and unit_b not in (from replaced);
create or replace view earlier_person_weight as
from earlier.person_weight where unit_a not in (from replaced) and unit_b not in (from replaced);
create or replace view earlier_unit_edge as from earlier.unit_edge;
create or replace view earlier_conflict as
from earlier.conflict where record_l not in (from replaced) and record_r not in (from replaced);
create or replace view earlier_unit as from earlier.unit anti join replaced using (record_no);
create or replace view earlier_unit_row as from earlier.unit_row;
