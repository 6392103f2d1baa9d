-- The baseline: initials, date of birth, sex and postcode district, all the same. Reads judged and the tables of `evidence`
-- and `minimal`; makes baseline (metric, value).

create or replace table attributor as
select distinct record_no, forename_initial || surname_initial as initials, dob, sex, district
from record_initials
inner join record_dob using (record_no) inner join record using (record_no) inner join record_place using (record_no)
where sex is not null and district is not null;

-- Records with names: every pair that shares it.
create or replace table baseline_pair as
select distinct a.record_no as record_l, b.record_no as record_r
from attributor as a inner join attributor as b using (initials, dob, sex, district)
where a.record_no < b.record_no;

create or replace table baseline_named as
select count(*) filter (l.true_no = r.true_no) as agreed, count(*) as linked
from baseline_pair as p
inner join judged as l on l.record_no = p.record_l inner join judged as r on r.record_no = p.record_r
where l.is_named and r.is_named;

-- Clients: the person who shares it, when there is one alone (persons as tonight's links of named records have them).
create or replace table baseline_client as
with candidate as (
    select distinct c.record_no, n.cluster_no
    from attributor as c
    inner join attributor as p using (initials, dob, sex, district)
    inner join judged as n on n.record_no = p.record_no and n.is_named
    where c.record_no in (select record_no from client_link)
),
sole as (select record_no, any_value(cluster_no) as cluster_no from candidate group by record_no having count(*) = 1)
select c.*, p.true_no as baseline_no
from client_link as c left join sole using (record_no) left join person_of_cluster as p on p.cluster_no = sole.cluster_no;

create or replace table baseline as
select 'baseline_named_pair_precision' as metric, agreed / linked as value from baseline_named
union all select 'baseline_named_pair_recall', agreed / (select true_pairs from pair_count where is_named) from baseline_named
union all select 'baseline_client_to_person_precision', avg((baseline_no = true_no)::int) from baseline_client where baseline_no is not null
union all select 'baseline_client_to_person_recall', avg(coalesce(baseline_no = true_no, false)::int) from baseline_client where is_known;
