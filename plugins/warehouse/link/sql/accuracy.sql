-- Accuracy of clusters against the truth. Reads person_node (record_no, feed, cluster_no), record (record_no, is_named) and
-- truth (record_no, true_no); makes accuracy (metric, value). Records whose truth is unknown are left out.
-- Precision: of what was linked, the share that is right. Recall: of what should be linked, the share that was.

create or replace table judged as
select n.record_no, n.cluster_no, t.true_no, r.is_named
from person_node as n inner join truth as t using (record_no) inner join record as r using (record_no);

create or replace macro pairs(n) as n * (n - 1) / 2;

-- Pairs of records that share a cluster, a person, or both, among records with names and among clients.
create or replace table pair_count as
with cell as (select is_named, cluster_no, true_no, count(*) as n from judged group by all)
select
    is_named,
    (select sum(pairs(n)) from cell as c where c.is_named = k.is_named) as agreed,
    (select sum(pairs(n)) from (select sum(n) as n from cell as c where c.is_named = k.is_named group by cluster_no)) as linked,
    (select sum(pairs(n)) from (select sum(n) as n from cell as c where c.is_named = k.is_named group by true_no)) as true_pairs
from (values (true), (false)) as k (is_named);

-- B-cubed (Bagga and Baldwin 1998): for each record, how much of its cluster is its person, and how much of its person
-- is in its cluster; averaged over records.
create or replace table b_cubed as
with cell as (select cluster_no, true_no, count(*)::double as n from judged where is_named group by all),
share as (
    select n, n / sum(n) over (partition by cluster_no) as of_cluster, n / sum(n) over (partition by true_no) as of_person from cell
)
select sum(n * of_cluster) / sum(n) as precision, sum(n * of_person) / sum(n) as recall from share;

-- A cluster's named records speak for a person: the one most of them are about.
create or replace table person_of_cluster as
select cluster_no, arg_max(true_no, (n, -true_no)) as true_no
from (select cluster_no, true_no, count(*) as n from judged where is_named group by all)
group by cluster_no;

-- One row per client: the person it was linked to, and whether the true person has records with names at all.
create or replace table client_link as
select
    j.record_no, j.true_no, p.true_no as linked_no,
    j.true_no in (select true_no from judged where is_named) as is_known
from judged as j left join person_of_cluster as p using (cluster_no)
where not j.is_named;

create or replace table accuracy as
select 'named_pair_precision' as metric, agreed / linked as value from pair_count where is_named
union all select 'named_pair_recall', agreed / true_pairs from pair_count where is_named
union all select 'named_pairs_true', true_pairs from pair_count where is_named
union all select 'named_b_cubed_precision', precision from b_cubed
union all select 'named_b_cubed_recall', recall from b_cubed
union all select 'named_b_cubed_f', 2 * precision * recall / (precision + recall) from b_cubed
union all select 'client_pair_precision', agreed / linked from pair_count where not is_named
union all select 'client_pair_recall', agreed / true_pairs from pair_count where not is_named
union all select 'client_to_person_precision', avg((linked_no = true_no)::int) from client_link where linked_no is not null
union all select 'client_to_person_recall', avg(coalesce(linked_no = true_no, false)::int) from client_link where is_known
union all select 'client_false_links_of_unknown', avg((linked_no is not null)::int) from client_link where not is_known
union all select 'clients_known', count(*) from client_link where is_known;
