-- Which persons tonight's clusters may claim. One transaction, run by `persons`.
-- Reads temp tables new_record (record_key, feed, certainty, cluster_no), the records of the clusters that differ from the links
-- as they stood before tonight, and gone_record (record_key, certainty), records linked then and not now. Cluster numbers are
-- distinct across certainties; {night} is the night.
--
-- Everything is worked out from the links as they stood before tonight, so running a night again ends in the same place,
-- whatever an earlier or broken run of it left. Ids that an earlier run of tonight gave to new persons are found again by
-- overlap and kept.

create temp table concerned on commit drop as
select record_key, certainty from new_record
union all
select record_key, certainty from gone_record;
create index on concerned (record_key, certainty);
analyze concerned;
analyze new_record;

create temp table links_before on commit drop as
select l.record_key, l.certainty, l.person_id, l._valid_from as linked_since
from linkage.person_link as l inner join concerned as c using (record_key, certainty)
where l._valid_from < {night} and (l._valid_to is null or l._valid_to >= {night});
analyze links_before;

create temp table overlap on commit drop as
with known as (
    select record_key, certainty, person_id, linked_since, false as is_tonights from links_before
    union all
    select l.record_key, l.certainty, l.person_id, l._valid_from, true
    from linkage.person_link as l
    inner join concerned as c using (record_key, certainty)
    inner join linkage.person as p using (person_id)
    where p.first_night = {night} and l._valid_to is null
),
shared as (
    select
        n.cluster_no, k.person_id, k.is_tonights,
        count(*) as records, min(k.linked_since) as linked_since, min(n.record_key::text) as anchor
    from known as k inner join new_record as n using (record_key, certainty)
    group by n.cluster_no, k.person_id, k.is_tonights
)
-- The order in which clusters claim ids: ids older than tonight first, then the largest overlap, then the oldest person, then
-- the part that holds the oldest link. Record keys decide what is left, so that no random id does.
select
    s.cluster_no, s.person_id,
    row_number() over (order by s.is_tonights, s.records desc, p.first_night, s.linked_since, s.anchor, s.person_id) as place
from shared as s inner join linkage.person as p using (person_id);
analyze overlap;

create temp table assigned (cluster_no integer, person_id uuid) on commit drop;
