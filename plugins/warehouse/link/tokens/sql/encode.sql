-- From standardised identifiers (table clean: _row_no and one column a role) to tokens (table encoded: _row_no and one column a
-- token role). Values that repeat are encoded once: names, dates of birth and places. Variable `letter_pairs` says whether names
-- have codes of their pairs of letters.

-- Names, their parts of two letters (with an underscore before and after the name), and the codes of those parts. A code has
-- 32 bits: there are only some 700 different ones, and they are compared by the set.
create or replace temp table name_value as
select name
from (
    select forename as name from clean union select middle_name from clean union select surname from clean union select previous_surname from clean
)
where name is not null;

create or replace temp table name_bigram as
select distinct name, unnest(list_transform(range(1, length(name) + 2), lambda place: substr('_' || name || '_', place, 2))) as bigram
from name_value where getvariable('letter_pairs');

create or replace temp table bigram_code as
select bigram, left(keyed_hash('forename bigram', bigram), 8) as of_forename, left(keyed_hash('surname bigram', bigram), 8) as of_surname
from (select distinct bigram from name_bigram);

-- Sorted, so that the order of the letters in the name does not show.
create or replace temp table name_code as
select
    name,
    token('name', name)                                                                 as whole,
    or_empty(string_agg(of_forename, '' order by of_forename))                          as forename_bigrams,
    whole || '.' || or_empty(token('surname sound', sound_key(name)))
        || '.' || or_empty(string_agg(of_surname, '' order by of_surname))              as surname_token
from name_value left join name_bigram using (name) left join bigram_code using (bigram)
group by name;

-- Short forms belong to a name by sex. Where it is unknown the men's list is read, then the women's. `short_initials` are the letters that
-- names of the group begin with.
create or replace temp table forename_code as
with forename as (select distinct forename, coalesce(sex, '') as sex from clean where forename is not null),
grouped as (
    select
        f.forename, f.sex,
        coalesce(own.name_group, case when f.sex = '' then other.name_group end, f.forename) as name_group,
        case when f.sex <> '' then f.sex when own.name_group is null and other.name_group is not null then 'F' else 'M' end as group_sex
    from forename as f
    left join nickname as own on own.name = f.forename and own.sex = case when f.sex = '' then 'M' else f.sex end
    left join nickname as other on other.name = f.forename and other.sex = 'F'
),
group_initial as (select sex, name_group, string_agg(distinct left(name, 1), '' order by left(name, 1)) as initials from nickname group by all)
select
    g.forename, g.sex, coalesce(i.initials, left(g.forename, 1)) as short_initials,
    c.whole || '.' || token('name group', g.name_group) || '.' || or_empty(token('forename sound', sound_key(g.forename))) || '.' || c.forename_bigrams
        as forename_token
from grouped as g
inner join name_code as c on c.name = g.forename
left join group_initial as i on i.name_group = g.name_group and i.sex = g.group_sex;

-- A date of birth, the date with day and month swapped (where there is such a date), and whether it is 1 January.
create or replace temp table date_code as
select
    dob,
    token('date', dob) || '.' || or_empty(token('date', case when substr(dob, 9) <= '12' then left(dob, 5) || substr(dob, 9) || '-' || substr(dob, 6, 2) end))
        || '.' || case when substr(dob, 6) = '01-01' then '1' else '' end as dob_token
from (select distinct dob from clean where dob is not null);

create or replace temp table sector_code as
select
    sector,
    token('sector', sector) || '.' || token('district', district_of_sector(sector)) || '.' || token('area', area_of_sector(sector)) as sector_token
from (
    select sector_of_postcode(postcode) as sector from clean where postcode is not null
    union
    select sector_of_postcode(previous_postcode) from clean where previous_postcode is not null
    union
    select postcode_sector from clean where postcode_sector is not null
);
create or replace temp table postcode_code as
select postcode, token('postcode', postcode) || '.' || sector_token as postcode_token
from (
    select postcode from clean where postcode is not null union select previous_postcode from clean where previous_postcode is not null
) as p
inner join sector_code as s on s.sector = sector_of_postcode(p.postcode);

-- What must not be known by itself (initials, sex, parts of the date of birth) as tokens of several things at once.
-- Initials and sex go with the date of birth; parts of the date go with initials and sex. The last part holds the date with one digit
-- left out (of the day, the month or the year), so that two dates which differ in one digit share one. Of a row of `hashed_under`.
create or replace macro joint_of(first_letter, last_letter, short_initials, sex, dob, who, first_token, month_hash, day_hash, year_day_hash) as
    concat_ws(
        '.',
        or_empty(first_token),
        or_empty(token_under('initial_key', last_letter || dob)),
        or_empty(
            case
                when short_initials = first_letter then first_token
                else array_to_string(list_sort(list_transform(string_split(short_initials, ''), lambda letter: token_under('initial_key', letter || dob))), '')
            end
        ),
        or_empty(token_under('sex_key', sex || dob)),
        or_empty(token_under('year_key', who || left(dob, 4))),
        or_empty(left(month_hash, 16)),
        or_empty(left(day_hash, 16)),
        or_empty(left(year_day_hash, 16)),
        or_empty(
            labelled(month_hash, 17, substr(dob, 9, 1)) || labelled(month_hash, 29, substr(dob, 10, 1))
            || labelled(year_day_hash, 17, substr(dob, 6, 1)) || labelled(year_day_hash, 29, substr(dob, 7, 1))
            || token_within(day_hash, 'd' || left(dob, 3)) || token_within(day_hash, 'y' || left(dob, 2) || substr(dob, 4, 1))
        )
    );
create or replace macro month_hash_of(who, dob) as hash_under('month_key', who || left(dob, 7));
create or replace macro day_hash_of(who, dob) as hash_under('day_key', who || substr(dob, 6));
create or replace macro year_day_hash_of(who, dob) as hash_under('year_day_key', who || left(dob, 5) || substr(dob, 9));

-- Every row with what its joint tokens are made of; that of a former name only where there is one.
create or replace temp view described as
select
    c.*,
    f.forename_token,
    coalesce(c.forename_initial, left(c.forename, 1))   as first_letter,
    coalesce(c.surname_initial, left(c.surname, 1))     as last_letter,
    left(c.previous_surname, 1)                         as previous_letter,
    coalesce(f.short_initials, c.forename_initial)      as short_initials
from clean as c left join forename_code as f on f.forename = c.forename and f.sex = coalesce(c.sex, '');
create or replace temp table previous_joint as
with person as (select *, first_letter || previous_letter || sex as who from described where dob is not null and previous_letter is not null),
hashed as (
    select
        *, token_under('initial_key', first_letter || dob) as first_token,
        month_hash_of(who, dob) as month_hash, day_hash_of(who, dob) as day_hash, year_day_hash_of(who, dob) as year_day_hash
    from person
)
select
    _row_no,
    joint_of(first_letter, previous_letter, short_initials, sex, dob, who, first_token, month_hash, day_hash, year_day_hash) as previous_joint_token
from hashed;

create or replace temp table encoded as
with person as (select *, first_letter || last_letter || sex as who from described),
hashed as (
    select
        *, token_under('initial_key', first_letter || dob) as first_token,
        month_hash_of(who, dob) as month_hash, day_hash_of(who, dob) as day_hash, year_day_hash_of(who, dob) as year_day_hash
    from person
)
select
    h._row_no,
    h.forename_token,
    m.whole                     as middle_name_token,
    s.surname_token,
    ps.surname_token            as previous_surname_token,
    d.dob_token,
    token('nino', h.nino)       as nino_token,
    token('pnc id', h.pnc_id)   as pnc_id_token,
    p.postcode_token,
    pp.postcode_token           as previous_postcode_token,
    '.' || ss.sector_token      as postcode_sector_token,
    case
        when h.dob is not null
            then joint_of(first_letter, last_letter, short_initials, sex, h.dob, who, first_token, month_hash, day_hash, year_day_hash)
    end                         as joint_token,
    pj.previous_joint_token
from hashed as h
left join name_code as m on m.name = h.middle_name
left join name_code as s on s.name = h.surname
left join name_code as ps on ps.name = h.previous_surname
left join date_code as d on d.dob = h.dob
left join postcode_code as p on p.postcode = h.postcode
left join postcode_code as pp on pp.postcode = h.previous_postcode
left join sector_code as ss on ss.sector = h.postcode_sector
left join previous_joint as pj on pj._row_no = h._row_no;
