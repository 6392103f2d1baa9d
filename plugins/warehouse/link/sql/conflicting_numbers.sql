-- Pairs of records with two valid NINOs or two PNC ids inside the components of table `component` (record_no, cluster_no): they cannot be
-- one person although edges connect them. Most components have one number at most, and are not looked at further.

create or replace table conflict as
with inside as (select c.cluster_no, r.record_no, r.nino, r.pnc_id from component as c inner join record as r using (record_no)),
doubtful as (
    select cluster_no from inside group by cluster_no having min(nino) <> max(nino) or min(pnc_id) <> max(pnc_id)
),
looked_at as (from inside semi join doubtful using (cluster_no))
select a.record_no as record_l, b.record_no as record_r
from looked_at as a inner join looked_at as b on a.cluster_no = b.cluster_no and a.record_no < b.record_no
where a.nino <> b.nino or a.pnc_id <> b.pnc_id;
