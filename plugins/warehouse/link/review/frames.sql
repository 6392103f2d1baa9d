-- The pairs that clerical review draws from, as table frame_pair: record_l, record_r (record numbers), kind, frame, level, score
-- (bits), detail, counted_share. Reads the tables of `evidence`, night_edge and night_link (the night's edges and links, by record number)
-- and named_edge (pairs compared anew by wider rules, see `frames`).

-- One row per linked record: its person and the record that stands for all records of the same person and side.
create or replace table unit as
select
    l.record_no, l.person_no, r.is_named,
    min(l.record_no) over (partition by l.person_no, r.is_named) as unit_no
from night_link as l inner join record as r using (record_no);

-- The strictest certainty at which two records share a person: the certainties are nested.
create or replace macro together_from(a, b) as
    case when a.strict_no = b.strict_no then 1 when a.person_no = b.person_no then 2 when a.inclusive_no = b.inclusive_no then 3 end;

create or replace table linked_pair as
select
    e.record_l, e.record_r, together_from(a, b) as level,
    case when l.is_named and r.is_named then 'named' else 'minimal' end as kind,
    -- Edges of clients carry the probability among all candidates: its odds, in bits, are their score.
    case when e.match_probability < 1 then log2(e.match_probability / (1 - e.match_probability)) else e.match_weight end as score
from night_edge as e
inner join record as l on l.record_no = e.record_l
inner join record as r on r.record_no = e.record_r
inner join night_link as a on a.record_no = e.record_l
inner join night_link as b on b.record_no = e.record_r;

create or replace table joined_pair as
select a.record_no as record_l, b.record_no as record_r, together_from(a, b) as level
from (night_link inner join record using (record_no)) as a
inner join (night_link inner join record using (record_no)) as b on b.inclusive_no = a.inclusive_no and b.record_no > a.record_no
anti join linked_pair as e on e.record_l = a.record_no and e.record_r = b.record_no
where a.is_named and b.is_named;

create or replace table compared_pair as
select
    c.record_l, c.record_r, c.match_weight as score,
    case
        when c.is_guarded and c.match_weight >= getvariable('inclusive') then 'guarded'
        when c.match_key >= getvariable('named_rules') then 'missed'
        else 'scored'
    end as frame
from named_edge as c anti join linked_pair using (record_l, record_r) anti join joined_pair using (record_l, record_r);

-- A client and a person who share initials, date of birth and sex (nothing more is asked) and are not linked. One row per pair
-- of units: a person with many records is one candidate.
create or replace table client_pair as
with person_fact as (
    select distinct u.unit_no, i.forename_initial, i.surname_initial, d.dob, r.sex
    from unit as u
    inner join record_initials as i using (record_no)
    inner join record_dob as d using (record_no)
    inner join record as r using (record_no)
),
unit_district as (select distinct u.unit_no, p.district from unit as u inner join record_place as p using (record_no)),
side as (select *, count(*) over (partition by person_no) > 1 as is_linked from (select distinct unit_no, person_no, is_named from unit)),
candidate as (
    select distinct c.unit_no as client_no, p.unit_no as other_no, least(c.unit_no, p.unit_no) as record_l, greatest(c.unit_no, p.unit_no) as record_r, c.is_linked
    from side as c
    inner join person_fact as cf on cf.unit_no = c.unit_no
    inner join person_fact as pf using (forename_initial, surname_initial, dob)
    inner join side as p on p.unit_no = pf.unit_no
    where not c.is_named and p.is_named and c.person_no <> p.person_no and coalesce(cf.sex = pf.sex, true)
),
edge_unit as (
    select distinct least(l.unit_no, r.unit_no) as record_l, greatest(l.unit_no, r.unit_no) as record_r
    from linked_pair as e inner join unit as l on l.record_no = e.record_l inner join unit as r on r.record_no = e.record_r
),
near as (
    select distinct c.record_l, c.record_r
    from candidate as c
    inner join unit_district as a on a.unit_no = c.client_no
    inner join unit_district as b on b.unit_no = c.other_no and b.district = a.district
)
select
    c.record_l, c.record_r,
    case when c.is_linked then 'client linked elsewhere' else 'client not linked' end
    || case when n.record_l is not null then ', district in common' else ', no district in common' end as detail
from candidate as c
anti join edge_unit as e using (record_l, record_r)
left join near as n using (record_l, record_r);

create or replace table frame_pair as
select
    record_l, record_r, kind, case when level is null then 'cut' else 'linked' end as frame, level, score, null::varchar as detail, 1.0::double as counted_share
from linked_pair
union all
select record_l, record_r, 'named', 'joined', level, null, null, 1.0 from joined_pair
union all
select record_l, record_r, 'named', frame, null, score, null, getvariable('counted_share') from compared_pair
union all
select record_l, record_r, 'minimal', 'missed', null, null, detail, 1.0 from client_pair;
