-- Adds to table `conflict` the pairs of records inside a component (table `component`) whose dates of birth contradict each other, as far
-- as tokens tell: recorded under the same initials and sex, no date of the one has two of day, month and year in common with
-- one of the other, nor is it that date with day and month swapped, nor 1 January of the same year.

insert into conflict
with inside as (select c.cluster_no, p.* from component as c inner join record_person as p using (record_no)),
doubtful as (select cluster_no from inside group by cluster_no having min(dob) <> max(dob)),
looked_at as (from inside semi join doubtful using (cluster_no)),
pair as (
    select
        a.record_no as record_l, b.record_no as record_r,
        bool_and(
            a.dob <> b.dob
            and (a.dob = b.dob_swapped) is not true
            and (a.birth_month = b.birth_month) is not true
            and (a.birth_day = b.birth_day) is not true
            and (a.birth_year_day = b.birth_year_day) is not true
            and (a.birth_year = b.birth_year and (a.is_default_dob or b.is_default_dob)) is not true
        ) as contradict
    from looked_at as a inner join looked_at as b on a.cluster_no = b.cluster_no and a.record_no < b.record_no
    group by all
)
select record_l, record_r from pair where contradict
except
select record_l, record_r from conflict;
