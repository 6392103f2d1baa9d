-- What a night that scores everything has from the night before: nothing. An incremental night fills these tables instead
-- (sql/incremental.sql), with the numbers that records have tonight.

create or replace table population (scoring varchar, members bigint);
create or replace table term (scoring varchar, term_column varchar, value varchar, rows bigint);

-- Edges and weights between records, or between units, that have not changed.
create or replace table earlier_named_edge (
    record_l int, record_r int, model varchar, match_weight double, match_probability double, match_key int, is_guarded boolean
);
create or replace table earlier_client_weight (unit_a int, unit_b int, match_weight double, match_key int);
create or replace table earlier_person_weight (unit_a int, unit_b int, match_weight double, match_key int);

-- Rows of the minimal model as they were, see sql/units.sql.
create or replace table earlier_unit_row (
    row_id int, unit_no int, side varchar, initials varchar, forename_initial varchar, surname_initial varchar, short_initials varchar,
    dob varchar, birth_year varchar, birth_month varchar, birth_day varchar, sex varchar,
    sectors varchar[], districts varchar[], areas varchar[], rows_of_unit bigint
);
