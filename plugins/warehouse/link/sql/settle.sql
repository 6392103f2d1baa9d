-- After the claims: ids for the clusters that have none, the links with their history, and what happened to whom.

create temp table fresh on commit drop as
select c.cluster_no, gen_random_uuid() as person_id
from (select distinct cluster_no from new_record) as c
where not exists (select from assigned as a where a.cluster_no = c.cluster_no);
insert into linkage.person (person_id, first_night) select person_id, {night} from fresh;
insert into assigned select cluster_no, person_id from fresh;
-- Persons that only an earlier run of tonight had.
delete from linkage.person as p where p.first_night = {night} and not exists (select from assigned as a where a.person_id = p.person_id);

create temp table links_now on commit drop as
select n.record_key, n.feed, a.person_id from new_record as n inner join assigned as a using (cluster_no);
create index on links_now (record_key);
analyze links_now;

delete from linkage.person_link as l
where l._valid_from = {night}
    and not exists (select from links_now as n where n.record_key = l.record_key and n.person_id = l.person_id);
update linkage.person_link as l set _valid_to = {night}
where l._valid_to is null
    and not exists (select from links_now as n where n.record_key = l.record_key and n.person_id = l.person_id);
update linkage.person_link as l set _valid_to = null
where l._valid_to = {night}
    and exists (select from links_now as n where n.record_key = l.record_key and n.person_id = l.person_id);
insert into linkage.person_link (record_key, feed, person_id, _valid_from)
select n.record_key, n.feed, n.person_id, {night}
from links_now as n
where not exists (select from linkage.person_link as l where l.record_key = n.record_key and l._valid_to is null);

-- `person_id` is the one it happened to: created, split from the other, merged into the other, or left without records.
create temp table event_now on commit drop as
with moved as (
    select
        b.person_id as old_id, n.person_id as new_id, count(*) as records,
        row_number() over (partition by b.person_id order by count(*) desc, n.person_id) as place_of_old,
        row_number() over (partition by n.person_id order by count(*) desc, b.person_id) as place_of_new
    from links_before as b inner join links_now as n using (record_key)
    group by b.person_id, n.person_id
)
select case when m.old_id is null then 'created' else 'split' end as event, p.person_id, m.old_id as other_person_id
from linkage.person as p left join moved as m on m.new_id = p.person_id and m.place_of_new = 1
where p.first_night = {night}
union all
select case when m.new_id is null then 'retired' else 'merged' end, b.person_id, m.new_id
from (select distinct person_id from links_before) as b left join moved as m on m.old_id = b.person_id and m.place_of_old = 1
where not exists (select from assigned as a where a.person_id = b.person_id);

-- (A person without any link was retired by an erasure, which no run of tonight repeats.)
delete from linkage.person_event as e
where e.night = {night} and not exists (
    select from event_now as n
    where n.event = e.event and n.person_id = e.person_id and n.other_person_id is not distinct from e.other_person_id
) and (e.event <> 'retired' or exists (select from linkage.person_link as l where l.person_id = e.person_id));
insert into linkage.person_event (night, event, person_id, other_person_id)
select {night}, n.event, n.person_id, n.other_person_id
from event_now as n
where not exists (
    select from linkage.person_event as e
    where e.night = {night} and n.event = e.event and n.person_id = e.person_id and n.other_person_id is not distinct from e.other_person_id
);
