-- Adds to table `conflict` the pairs of records inside a component (table `component`) with dates of birth that no slip of the pen
-- explains. Most components have one date alone, and are not looked at further.

-- Two dates of birth that cannot be one date mis-written: not the same, no swap of day and month, no default, and
-- more than two digits apart with at most one part (year, month or day) in common.
create or replace macro impossible_dobs(a, b) as
    hamming(a, b) > 2
    and (left(a, 4) = left(b, 4))::int + (substr(a, 6, 2) = substr(b, 6, 2))::int + (substr(a, 9) = substr(b, 9))::int < 2
    and not (left(a, 4) = left(b, 4) and substr(a, 6, 2) = substr(b, 9, 2) and substr(a, 9) = substr(b, 6, 2))
    and not (left(a, 4) = left(b, 4) and (substr(a, 6) = '01-01' or substr(b, 6) = '01-01'));

insert into conflict
with inside as (select c.cluster_no, d.record_no, d.dob from component as c inner join record_dob as d using (record_no)),
doubtful as (select cluster_no from inside group by cluster_no having min(dob) <> max(dob)),
looked_at as (from inside semi join doubtful using (cluster_no)),
pair as (
    select a.record_no as record_l, b.record_no as record_r
    from looked_at as a inner join looked_at as b on a.cluster_no = b.cluster_no and a.record_no < b.record_no
    group by all
    having bool_and(impossible_dobs(a.dob, b.dob))
)
select record_l, record_r from pair
except
select record_l, record_r from conflict;
