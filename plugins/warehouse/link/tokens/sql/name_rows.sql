-- From what `evidence.sql` of this folder makes to what the models read, with tokens for values (see `link/sql/name_rows.sql`).

-- Input of the named model. `birth_year`, `birth_month`, `birth_day` and `birth_year_day` are tokens of these parts of the date together
-- with initials and sex, so they agree only between rows that agree on those; `sex` and the initials agree only with the date.
create or replace table name_row as
with numbered as (
    select (row_number() over (order by record_no, surname_token, forename_token, dob_token, joint_token))::int as row_id, * from record_name
)
select
    n.row_id,
    n.record_no,
    r.feed,
    packed(n.forename_token, 1)                     as forename,
    packed(n.forename_token, 2)                     as forename_group,
    packed(n.forename_token, 3)                     as forename_sound,
    codes(split_part(n.forename_token, '.', 4))     as forename_codes,
    n.middle_name_token                             as middle_name,
    packed(n.surname_token, 1)                      as surname,
    packed(n.surname_token, 2)                      as surname_sound,
    codes(split_part(n.surname_token, '.', 3))      as surname_codes,
    packed(n.dob_token, 1)                          as dob,
    packed(n.dob_token, 2)                          as dob_swapped,
    split_part(n.dob_token, '.', 3) = '1'           as is_default_dob,
    packed(n.joint_token, 1)                        as forename_initial,
    packed(n.joint_token, 2)                        as surname_initial,
    packed(n.joint_token, 3)                        as short_initials,
    packed(n.joint_token, 4)                        as sex,
    packed(n.joint_token, 5)                        as birth_year,
    packed(n.joint_token, 6)                        as birth_month,
    packed(n.joint_token, 7)                        as birth_day,
    packed(n.joint_token, 8)                        as birth_year_day,
    tokens_in(split_part(n.joint_token, '.', 9))    as dob_digits,
    r.nino,
    r.pnc_id,
    p.postcodes,
    p.sectors,
    p.districts,
    r.is_changed
from numbered as n
inner join record as r using (record_no)
left join record_places as p using (record_no);

-- One row per record, pair of initials and date of birth that it was recorded under together.
create or replace table record_person as
select record_no, forename_initial, surname_initial, short_initials, sex, dob, dob_swapped, is_default_dob, birth_year, birth_month, birth_day, birth_year_day, dob_digits
from name_row
where forename_initial is not null and surname_initial is not null and dob is not null
union
select
    r.record_no, packed(t.joint_token, 1), packed(t.joint_token, 2), packed(t.joint_token, 3), packed(t.joint_token, 4),
    packed(t.dob_token, 1), packed(t.dob_token, 2), split_part(t.dob_token, '.', 3) = '1',
    packed(t.joint_token, 5), packed(t.joint_token, 6), packed(t.joint_token, 7), packed(t.joint_token, 8), tokens_in(split_part(t.joint_token, '.', 9))
from raw_token as t inner join record as r using (record_key)
where not r.is_named and packed(t.joint_token, 1) is not null and packed(t.joint_token, 2) is not null and t.dob_token is not null;

-- One row per record and distinct date of birth it was given.
create or replace table record_dob as select distinct record_no, dob from record_person;
