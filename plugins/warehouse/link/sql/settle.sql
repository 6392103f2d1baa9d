-- After the claims: ids for the clusters that have none, the links with their history, and what happened to whom. Only the
-- records of new_record and gone_record are touched; all others stand as they did.

-- In the order of the ids, so that the index on them grows at one place at a time.
create temp table fresh on commit drop as
select cluster_no, certainty, person_id
from (
    select c.cluster_no, c.certainty, gen_random_uuid() as person_id
    from (select distinct cluster_no, certainty from new_record) as c
    where not exists (select from assigned as a where a.cluster_no = c.cluster_no)
) as given
order by person_id;
insert into linkage.person (person_id, first_night, certainty) select person_id, {night}, certainty from fresh;
insert into assigned select cluster_no, person_id from fresh;
analyze assigned;
-- Persons that only an earlier run of tonight had.
delete from linkage.person as p where p.first_night = {night} and not exists (select from assigned as a where a.person_id = p.person_id);

create temp table links_now on commit drop as
select n.record_key, n.certainty, n.feed, a.person_id
from new_record as n inner join assigned as a using (cluster_no)
order by n.record_key, n.certainty;
create index on links_now (record_key, certainty);
analyze links_now;

create temp table links_ended on commit drop as
select l.record_key, l.certainty, l._valid_from
from linkage.person_link as l inner join concerned as c using (record_key, certainty)
where (l._valid_to is null or l._valid_from = {night})
    and not exists (select from links_now as n where n.record_key = l.record_key and n.certainty = l.certainty and n.person_id = l.person_id);
delete from linkage.person_link as l
using links_ended as e
where l.record_key = e.record_key and l.certainty = e.certainty and l._valid_from = e._valid_from and l._valid_from = {night};
update linkage.person_link as l set _valid_to = {night}
from links_ended as e
where l.record_key = e.record_key and l.certainty = e.certainty and l._valid_from = e._valid_from;
update linkage.person_link as l set _valid_to = null
from links_now as n
where n.record_key = l.record_key and n.certainty = l.certainty and n.person_id = l.person_id and l._valid_to = {night};
insert into linkage.person_link (record_key, feed, person_id, _valid_from, certainty)
select n.record_key, n.feed, n.person_id, {night}, n.certainty
from links_now as n
where not exists (select from linkage.person_link as l where l.record_key = n.record_key and l.certainty = n.certainty and l._valid_to is null);

-- `person_id` is the one it happened to: created, split from the other, merged into the other, or left without records.
create temp table moved on commit drop as
select
    b.person_id as old_id, n.person_id as new_id,
    row_number() over (partition by b.person_id order by count(*) desc, n.person_id) as place_of_old,
    row_number() over (partition by n.person_id order by count(*) desc, b.person_id) as place_of_new
from links_before as b inner join links_now as n using (record_key, certainty)
group by b.person_id, n.person_id;
analyze moved;
create temp table event_now on commit drop as
select case when m.old_id is null then 'created' else 'split' end as event, p.certainty, p.person_id, m.old_id as other_person_id
from assigned as a
inner join linkage.person as p using (person_id)
left join moved as m on m.new_id = p.person_id and m.place_of_new = 1
where p.first_night = {night}
union all
select case when m.new_id is null then 'retired' else 'merged' end, b.certainty, b.person_id, m.new_id
from (select distinct person_id, certainty from links_before) as b left join moved as m on m.old_id = b.person_id and m.place_of_old = 1
where not exists (select from assigned as a where a.person_id = b.person_id);

-- (A person without any link was retired by an erasure, which no run of tonight repeats.)
delete from linkage.person_event as e
where e.night = {night} and not exists (
    select from event_now as n
    where n.event = e.event and n.person_id = e.person_id and n.other_person_id is not distinct from e.other_person_id
) and (e.event <> 'retired' or exists (select from linkage.person_link as l where l.person_id = e.person_id));
insert into linkage.person_event (night, event, person_id, other_person_id, certainty)
select {night}, n.event, n.person_id, n.other_person_id, n.certainty
from event_now as n
where not exists (
    select from linkage.person_event as e
    where e.night = {night} and n.event = e.event and n.person_id = e.person_id and n.other_person_id is not distinct from e.other_person_id
);
