-- Tokens: HMAC-SHA-256 (RFC 2104) of a value, cut to 64 bits. Variables `inner_pad` and `outer_pad` hold the padded key.
-- `kind` keeps tokens of different things apart although their values are the same.

create or replace macro keyed_hash(kind, text_value) as
    sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(kind || ':' || text_value))));
create or replace macro token(kind, text_value) as left(keyed_hash(kind, text_value), 16);

-- Tokens of combinations differ for almost every row, so they are made in one step instead of HMAC's two: SHA-256 of a key and the
-- value, of which a quarter is given away. Each kind has a key of its own, made from the agencies' by HMAC. (Cut so, the hash is as
-- good as HMAC: Coron, Dodis, Malinaud and Puniya, "Merkle-Damgard revisited", CRYPTO 2005, on chopped hashes.)
set variable initial_key = unhex(keyed_hash('key', 'initial and date of birth'));
set variable sex_key = unhex(keyed_hash('key', 'sex and date of birth'));
set variable year_key = unhex(keyed_hash('key', 'initials, sex and year of birth'));
set variable month_key = unhex(keyed_hash('key', 'initials, sex, year and month of birth'));
set variable day_key = unhex(keyed_hash('key', 'initials, sex, month and day of birth'));
set variable year_day_key = unhex(keyed_hash('key', 'initials, sex, year and day of the month'));
create or replace macro hash_under(key_name, text_value) as sha256(getvariable(key_name) || encode(text_value));
create or replace macro token_under(key_name, text_value) as left(hash_under(key_name, text_value), 16);
-- A token of something more, known only together with a value whose hash is given: keyed by the part of it that is not given away.
create or replace macro token_within(whole_hash, text_value) as left(sha256(substr(whole_hash, 17) || text_value), 16);
-- The same for a single digit: a label of its own for each digit, taken from the part of the hash that is not given away (from `place`
-- on, three characters a digit), after enough of the hash to tell it from others.
create or replace macro labelled(whole_hash, place, digit) as left(whole_hash, 13) || substr(whole_hash, place + 3 * digit::int, 3);

-- Parts of a packed token are separated by full stops; a missing part is empty.
create or replace macro or_empty(token_value) as coalesce(token_value, '');
