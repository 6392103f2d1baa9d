-- Standardisation of identifiers, one macro a rule. Each gives null for what cannot be used as evidence.

-- The words of a name in capital letters A to Z, one space between them: accents, apostrophes, full stops, titles and the
-- suffixes Junior and Senior removed; hyphens part words.
create or replace macro plain_letters(text_value) as
    translate(regexp_replace(replace(strip_accents(upper(text_value)), 'Æ', 'AE'), '[ßẞ]', 'SS', 'g'), 'ØŁĐ''’', 'OLD');
create or replace macro name_words(text_value) as
    regexp_replace(
        regexp_replace(
            trim(regexp_replace(plain_letters(text_value), '[^A-Z]+', ' ', 'g')),
            '^((MR|MRS|MS|MISS|MX|DR|PROF|PROFESSOR|REV|REVD|REVEREND|SIR|DAME|LADY|LORD|MASTER|CAPT|SGT) )+', ''
        ),
        '( (JR|JNR|JUNIOR|SR|SNR|SENIOR|ESQ))+$', ''
    );

-- A name as letters alone. Placeholders that stand for "we do not know", and what a newborn is called before it has a name,
-- are no name.
create or replace macro letters_of(text_value) as nullif(replace(name_words(text_value), ' ', ''), '');
create or replace macro is_placeholder_name(letters) as
    letters in
        ('UNKNOWN', 'UNKNOW', 'UNKNOWNNAME', 'NAMEUNKNOWN', 'UNK', 'UNIDENTIFIED', 'UNNAMED', 'NONAME', 'NOTKNOWN', 'NK', 'NA', 'NFA', 'NULL', 'NONE',
         'NOTGIVEN', 'NOTSTATED', 'NOTRECORDED', 'NOTPROVIDED', 'NOTAVAILABLE', 'NOTAPPLICABLE', 'NOTDISCLOSED', 'NOTSUPPLIED',
         'REFUSED', 'DECLINED', 'WITHHELD', 'ANON', 'ANONYMOUS', 'NOFIXEDNAME', 'NOFIXEDABODE', 'FNU', 'LNU', 'TBC', 'TBA',
         'TEST', 'TESTER', 'TESTING', 'TESTPATIENT', 'TESTCLIENT', 'DUMMY', 'CLIENT', 'PATIENT', 'DECEASED',
         'BABY', 'BABYBOY', 'BABYGIRL', 'BABYTWIN', 'INFANT', 'NEWBORN', 'TWIN', 'STILLBORN', 'MALE', 'FEMALE', 'XX')
    or length(letters) > 2 and replace(letters, left(letters, 1), '') = '';
create or replace macro is_newborn_name(words) as
    regexp_matches(words, '^(BABY|INFANT|NEWBORN|TWIN) (BOY|GIRL|MALE|FEMALE|TWIN|ONE|TWO|A|B|I|II|OF)\b|^B O [A-Z]{2}');
create or replace macro clean_name(text_value) as
    case when not is_placeholder_name(letters_of(text_value)) and not is_newborn_name(name_words(text_value)) then letters_of(text_value) end;

-- Further names inside one: the parts of a double-barrelled name, and a surname without its particles, such as Berg in
-- van der Berg. O, Mac, Mc, St and Fitz belong to the word after them. Empty for a plain name.
create or replace macro name_parts(text_value) as
    list_filter(
        string_split(regexp_replace(name_words(text_value), '\b(O|MAC|MC|ST|FITZ) ', '\1', 'g'), ' '),
        lambda word: length(word) > 1 and not is_placeholder_name(word) and word not in
            ('VAN', 'VON', 'DER', 'DEN', 'DE', 'DEL', 'DELLA', 'DELA', 'DI', 'DA', 'DAS', 'DO', 'DOS', 'DU', 'LA', 'LE', 'LES', 'LOS', 'TEN', 'TER', 'ZU',
             'BIN', 'BINT', 'IBN', 'ABU', 'AL', 'EL')
    );
create or replace macro further_parts(text_value) as
    case
        when clean_name(text_value) is null then []
        else list_filter(list_sort(list_distinct(name_parts(text_value))), lambda part: part <> letters_of(text_value))
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
-- 1 January is what is often written for a date known to the year alone.
create or replace macro is_default_dob(dob) as substr(dob, 6) = '01-01';

-- A full UK postcode without its space; ZZ99 stands for no fixed abode or abroad, and names no place. Areas of one letter
-- are the eight listed. Source: Royal Mail, Programmers' Guide to the Postcode Address File.
create or replace macro clean_postcode(text_value) as
    nullif(
        regexp_extract(
            regexp_replace(upper(text_value), '[^A-Z0-9]', '', 'g'),
            '^(?:(?:[BEGLMNSW]|[A-PR-UWYZ][A-HK-Y])[0-9][0-9A-Z]?)[0-9][ABD-HJLNP-UW-Z]{2}$'
        ),
        ''
    );
-- A postcode sector such as 'AB1 2', from a full postcode without its space or from a sector as agencies write it.
create or replace macro sector_of_postcode(postcode) as left(postcode, length(postcode) - 3) || ' ' || substr(postcode, length(postcode) - 2, 1);
create or replace macro clean_sector(text_value) as
    nullif(regexp_extract(regexp_replace(upper(trim(text_value)), '\s+', ' ', 'g'), '^(?:[BEGLMNSW]|[A-PR-UWYZ][A-HK-Y])[0-9][0-9A-Z]? [0-9]$'), '');
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
-- serial divided by 23 (I, O and S are not used). Wrong letters and dummy serials are removed; the short form 98/123456G
-- is written out, two-digit years up to 40 being this century's.
create or replace macro pnc_check_letter(year_and_serial) as
    substr('ZABCDEFGHJKLMNPQRTUVWXY', (try_cast(year_and_serial as bigint) % 23)::int + 1, 1);
create or replace macro written_out_pnc(pnc_id) as
    case
        when regexp_matches(pnc_id, '^([0-9]{2}|[0-9]{4})/[0-9]{1,7}[A-Z]$') then
            case when length(split_part(pnc_id, '/', 1)) = 4 then left(pnc_id, 4)
                when left(pnc_id, 2) <= '40' then '20' || left(pnc_id, 2)
                else '19' || left(pnc_id, 2)
            end || '/' || lpad(split_part(pnc_id, '/', 2), 8, '0')
    end;
create or replace macro is_pnc_id(pnc_id) as
    regexp_matches(pnc_id, '^(19|20)[0-9]{2}/[0-9]{7}[A-Z]$')
    and substr(pnc_id, 6, 7) not in ('0000000', '9999999', '1234567')
    and right(pnc_id, 1) = pnc_check_letter(substr(pnc_id, 3, 2) || substr(pnc_id, 6, 7));
create or replace macro clean_pnc_id(text_value) as
    case when is_pnc_id(written_out_pnc(upper(trim(text_value)))) then written_out_pnc(upper(trim(text_value))) end;

-- Sex as recorded; unknown is no evidence.
create or replace macro clean_sex(text_value) as case when upper(trim(text_value)) in ('M', 'F') then upper(trim(text_value)) end;
