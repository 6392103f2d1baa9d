-- Give tonight's clusters their person ids and bring linkage.person_link up to date. One transaction, run by `persons`.
-- Reads temp table new_record (record_key, feed, cluster_no); {night} is the night.
--
-- Everything is worked out from the links as they stood before tonight, so running a night again ends in the same place,
-- whatever an earlier or broken run of it left. Ids that an earlier run of tonight gave to new persons are found again by
-- overlap and kept.

create temp table links_before on commit drop as
select record_key, person_id
from linkage.person_link
where _valid_from < {night} and (_valid_to is null or _valid_to >= {night});

create temp table overlap on commit drop as
with known as (
    select record_key, person_id, false as is_tonights from links_before
    union all
    select l.record_key, l.person_id, true
    from linkage.person_link as l inner join linkage.person as p using (person_id)
    where p.first_night = {night} and l._valid_to is null
),
shared as (
    select n.cluster_no, k.person_id, k.is_tonights, count(*) as records, min(n.record_key::text) as anchor
    from known as k inner join new_record as n using (record_key)
    group by n.cluster_no, k.person_id, k.is_tonights
)
-- The order in which clusters claim ids: ids older than tonight first, then the largest overlap, then the oldest person.
select
    s.cluster_no, s.person_id,
    row_number() over (order by s.is_tonights, s.records desc, p.first_night, s.person_id, s.anchor) as place
from shared as s inner join linkage.person as p using (person_id);

create temp table assigned (cluster_no integer primary key, person_id uuid unique) on commit drop;
