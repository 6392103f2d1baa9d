-- From tokens as agencies deliver them (table raw_token) to the tables that scoring reads, as `link/sql/evidence.sql` makes
-- them from clear identifiers: the same names and grains, with tokens for values. Whole tokens are text; codes of letters
-- are lists of numbers. What a token says of several things at once stands beside the name and date of birth it was made of.

create or replace macro packed(token_value, place) as nullif(split_part(token_value, '.', place), '');
create or replace macro codes(text_value) as
    list_transform(range(0, length(text_value) // 8), lambda place: ('0x' || substr(text_value, place * 8 + 1, 8))::uinteger);
create or replace macro tokens_in(text_value) as
    list_transform(range(0, length(text_value) // 16), lambda place: substr(text_value, place * 16 + 1, 16));
-- Similarity of two names by the pairs of letters they share: Dice's coefficient, 0 to 1; null where names come without them.
create or replace macro dice(codes_l, codes_r) as 2.0 * len(list_intersect(codes_l, codes_r)) / nullif(len(codes_l) + len(codes_r), 0);

create or replace table record as
select
    (row_number() over (order by record_key))::int as record_no,
    record_key,
    min(feed)                   as feed,
    bool_or(is_named)           as is_named,
    min(packed(joint_token, 4)) as sex,
    min(nino_token)             as nino,
    min(pnc_id_token)           as pnc_id,
    bool_or(is_named and (surname_token is not null or previous_surname_token is not null))                             as has_surname,
    bool_or(dob_token is not null)                                                                                      as has_dob,
    bool_or(postcode_token is not null or previous_postcode_token is not null or postcode_sector_token is not null)     as has_place,
    true                        as is_changed
from raw_token
group by record_key;

-- One row per named record and distinct name it is or was known by, with the date of birth that goes with the name, and their joint token.
create or replace table record_name as
with own as (
    select r.record_no, t.is_main, t.forename_token, t.middle_name_token, t.surname_token, t.previous_surname_token, t.dob_token, t.joint_token, t.previous_joint_token
    from raw_token as t inner join record as r using (record_key)
    where r.is_named
),
main as (select * from own where is_main)
select record_no, forename_token, middle_name_token, surname_token, dob_token, joint_token from main
union
select record_no, forename_token, middle_name_token, previous_surname_token, dob_token, previous_joint_token from main where previous_surname_token is not null
union
select
    f.record_no, coalesce(f.forename_token, m.forename_token), m.middle_name_token, coalesce(f.surname_token, m.surname_token),
    coalesce(f.dob_token, m.dob_token), f.joint_token
from own as f left join main as m using (record_no)
where not f.is_main and (f.forename_token is not null or f.surname_token is not null);

create or replace table record_place as
with place as (
    select record_key, postcode_token as place from raw_token where postcode_token is not null
    union
    select record_key, previous_postcode_token from raw_token where previous_postcode_token is not null
    union
    select record_key, postcode_sector_token from raw_token where postcode_sector_token is not null
)
select distinct
    r.record_no, packed(p.place, 1) as postcode, packed(p.place, 2) as sector, packed(p.place, 3) as district, packed(p.place, 4) as area
from place as p inner join record as r using (record_key);
