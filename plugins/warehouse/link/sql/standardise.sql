-- Standardisation of identifiers, one macro a rule. Each gives null for what cannot be used as evidence.

-- A name in capital letters A to Z alone: accents, titles, hyphens, apostrophes, spaces and full stops removed.
-- Placeholders that stand for "we do not know" are no name.
create or replace macro letters_of(text_value) as
    nullif(
        regexp_replace(
            regexp_replace(upper(strip_accents(text_value)), '^\s*(MR|MRS|MS|MISS|MX|DR|REV|SIR|MASTER)(\.\s*|\s+)', ''),
            '[^A-Z]', '', 'g'
        ),
        ''
    );
create or replace macro clean_name(text_value) as
    case
        when letters_of(text_value) in
            ('UNKNOWN', 'UNKNOW', 'UNK', 'NOTKNOWN', 'NK', 'NA', 'NONE', 'NOTGIVEN', 'NOTSTATED', 'REFUSED', 'ANON', 'ANONYMOUS',
             'NOFIXEDNAME', 'TEST', 'BABY', 'BABYBOY', 'BABYGIRL', 'MALE', 'FEMALE', 'XX', 'XXX')
            then null
        else letters_of(text_value)
    end;

-- A rough sound key, Soundex with the common English digraphs folded first: the first letter, then up to four digits for
-- the consonant classes that follow, doubles counted once. Coarser than Metaphone, but plain SQL.
create or replace macro fold_spelling(name) as
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(regexp_replace(name, '^(KN|GN|PN)', 'N'), '^WR', 'R'),
                '^MAC|^MC', 'MK'),
            'PH', 'F', 'g'),
        '^C([^EIHY])', 'K\1');
create or replace macro consonant_classes(letters) as
    translate(letters, 'BFPVCGJKQSXZDTLMNR', '111122222222334556');
create or replace macro once_each(digits) as
    replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(digits,
        '1+', '1', 'g'), '2+', '2', 'g'), '3+', '3', 'g'), '4+', '4', 'g'), '5+', '5', 'g'), '66', '6');
create or replace macro sound_key(name) as
    substr(fold_spelling(name), 1, 1)
    || left(regexp_replace(substr(once_each(consonant_classes(fold_spelling(name))), 2), '[^1-6]', '', 'g'), 4);

-- A date of birth, or null when it lies outside a human life or is a filler.
create or replace macro clean_dob(day, night) as
    case
        when day < date '1900-01-02' or day > night or day in (date '1901-01-01', date '1911-11-11') then null
        else strftime(day, '%Y-%m-%d')
    end;

-- A full UK postcode without its space; ZZ99 stands for no fixed abode or abroad, and names no place.
create or replace macro clean_postcode(text_value) as
    nullif(
        regexp_extract(
            regexp_replace(upper(text_value), '[^A-Z0-9]', '', 'g'),
            '^(?:[A-PR-UWYZ][A-HK-Y]?[0-9][0-9A-Z]?)[0-9][ABD-HJLNP-UW-Z]{2}$'
        ),
        ''
    );
-- A postcode sector such as 'AB1 2', from a full postcode without its space or from a sector as agencies write it.
create or replace macro sector_of_postcode(postcode) as left(postcode, length(postcode) - 3) || ' ' || substr(postcode, length(postcode) - 2, 1);
create or replace macro clean_sector(text_value) as
    nullif(regexp_extract(regexp_replace(upper(trim(text_value)), '\s+', ' ', 'g'), '^[A-PR-UWYZ][A-HK-Y]?[0-9][0-9A-Z]? [0-9]$'), '');
create or replace macro district_of_sector(sector) as split_part(sector, ' ', 1);
create or replace macro area_of_sector(sector) as regexp_extract(sector, '^[A-Z]+');

-- A National Insurance number. Prefixes never issued and the numbers used as dummies are removed.
-- Source: HMRC National Insurance Manual NIM39110.
create or replace macro letters_and_digits(text_value) as regexp_replace(upper(text_value), '[^A-Z0-9]', '', 'g');
create or replace macro is_nino(nino) as
    regexp_matches(nino, '^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]$')
    and left(nino, 2) not in ('BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ')
    and substr(nino, 3, 6) not in
        ('000000', '111111', '222222', '333333', '444444', '555555', '666666', '777777', '888888', '999999', '123456', '012345');
create or replace macro clean_nino(text_value) as case when is_nino(letters_and_digits(text_value)) then letters_and_digits(text_value) end;

-- A Police National Computer id: year, serial number and a letter that checks them, the remainder of two-digit year and
-- serial divided by 23 (I, O and S are not used). Wrong letters and all-zero serials are removed.
create or replace macro pnc_check_letter(year_and_serial) as
    substr('ZABCDEFGHJKLMNPQRTUVWXY', (try_cast(year_and_serial as bigint) % 23)::int + 1, 1);
create or replace macro is_pnc_id(pnc_id) as
    regexp_matches(pnc_id, '^(19|20)[0-9]{2}/[0-9]{7}[A-Z]$')
    and substr(pnc_id, 6, 7) <> '0000000'
    and right(pnc_id, 1) = pnc_check_letter(substr(pnc_id, 3, 2) || substr(pnc_id, 6, 7));
create or replace macro clean_pnc_id(text_value) as case when is_pnc_id(upper(trim(text_value))) then upper(trim(text_value)) end;

-- Sex as recorded; unknown is no evidence.
create or replace macro clean_sex(text_value) as case when upper(trim(text_value)) in ('M', 'F') then upper(trim(text_value)) end;
