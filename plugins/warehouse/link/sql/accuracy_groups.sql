-- Accuracy by group of people, since linkage error is not evenly spread. Reads judged, client_link and truth_no (see accuracy.sql),
-- and person (true_person_id, dob, sex, ethnic) of the truth; variable `night` gives the ages. Makes group_accuracy
-- (metric, kind, of_kind, value). A person's group is that of the truth, whatever the records say, but for the dates of birth.

create or replace table person_group as
with known as (
    select t.true_no, p.sex, p.ethnic, date_sub('year', p.dob::date, getvariable('night')) as age
    from person as p inner join truth_no as t using (true_person_id)
),
-- Somebody a record of whom says 1 January, by birth or because a clerk did not know the day.
first_of_january as (
    select true_no from judged inner join record_dob using (record_no) group by true_no having bool_or(is_default_dob(dob))
)
select true_no, 'sex' as kind, sex as of_kind from known
union all
select
    true_no, 'age',
    case
        when age < 20 then 'under 20'
        when age >= 65 then '65 and over'
        when age >= 60 then '60 to 64'
        else (age // 10 * 10)::varchar || ' to ' || (age // 10 * 10 + 9)
    end
from known
union all
-- The groups of the census, of which the codes are the finer parts. Source: NDTMS code set, ETHNIC.
select
    true_no, 'ethnic group',
    case
        when ethnic in ('A', 'B', 'C') then 'White'
        when ethnic in ('D', 'E', 'F', 'G') then 'Mixed'
        when ethnic in ('H', 'J', 'K', 'L') then 'Asian'
        when ethnic in ('M', 'N', 'P') then 'Black'
        when ethnic in ('R', 'S') then 'Other'
        else 'Not stated'
    end
from known
union all
select true_no, 'recorded on 1 January', case when true_no in (select true_no from first_of_january) then 'yes' else 'no' end from known;

-- For each record with names: its links, those that are right, and those there should be; a wrong link counts against both of
-- its people.
create or replace table group_accuracy as
with cell as (select cluster_no, true_no, count(*) as n from judged where is_named group by all),
sized as (
    select true_no, n, sum(n) over (partition by cluster_no) as of_cluster, sum(n) over (partition by true_no) as of_person from cell
),
named as (
    select kind, of_kind, sum(n) as records, sum(n * (n - 1)) as agreed, sum(n * (of_cluster - 1)) as linked, sum(n * (of_person - 1)) as true_links
    from sized inner join person_group using (true_no) group by all
),
client as (
    select
        kind, of_kind, count(*) filter (is_known) as known, count(linked_no) as linked, count(*) filter (not is_known) as unknown,
        count(*) filter (linked_no = true_no) as agreed, count(linked_no) filter (not is_known) as linked_unknown
    from client_link inner join person_group using (true_no) group by all
)
select 'named_records' as metric, kind, of_kind, records::double as value from named
union all select 'named_pair_precision', kind, of_kind, agreed / linked from named where linked > 0
union all select 'named_pair_recall', kind, of_kind, agreed / true_links from named where true_links > 0
union all select 'clients_known', kind, of_kind, known from client
union all select 'client_to_person_precision', kind, of_kind, agreed / linked from client where linked > 0
union all select 'client_to_person_recall', kind, of_kind, agreed / known from client where known > 0
union all select 'client_false_links_of_unknown', kind, of_kind, linked_unknown / unknown from client where unknown > 0;
