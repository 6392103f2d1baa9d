-- Pairs of records that cannot be one person although edges connect them: two valid NINOs, two PNC ids, or dates of birth
-- that no slip of the pen explains. Looks inside the components of table `component` (record_no, cluster_no).

-- Two dates of birth that cannot be one date mis-written: not the same, no swap of day and month, no default, and
-- more than two digits apart with at most one part (year, month or day) in common.
create or replace macro impossible_dobs(a, b) as
    hamming(a, b) > 2
    and (left(a, 4) = left(b, 4))::int + (substr(a, 6, 2) = substr(b, 6, 2))::int + (substr(a, 9) = substr(b, 9))::int < 2
    and not (left(a, 4) = left(b, 4) and substr(a, 6, 2) = substr(b, 9, 2) and substr(a, 9) = substr(b, 6, 2))
    and not (left(a, 4) = left(b, 4) and (substr(a, 6) = '01-01' or substr(b, 6) = '01-01'));

create or replace table conflict as
with inside as (
    select c.cluster_no, r.record_no, r.nino, r.pnc_id from component as c inner join record as r using (record_no)
),
by_number as (
    select a.record_no as record_l, b.record_no as record_r
    from inside as a inner join inside as b on a.cluster_no = b.cluster_no and a.record_no < b.record_no
    where a.nino <> b.nino or a.pnc_id <> b.pnc_id
),
by_dob as (
    select a.record_no as record_l, b.record_no as record_r
    from (inside inner join record_dob using (record_no)) as a
    inner join (inside inner join record_dob using (record_no)) as b on a.cluster_no = b.cluster_no and a.record_no < b.record_no
    group by all
    having bool_and(impossible_dobs(a.dob, b.dob))
)
select record_l, record_r from by_number
union
select record_l, record_r from by_dob;
