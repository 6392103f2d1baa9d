"""The police extract: nominals, aliases, addresses, proven offences and arrests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, YEAR, Flags, Ints, Text, blank, chance, date_texts, either, flags, join, numbers, pick, rank_within
from warehouse.synth.crime import DISPOSALS, FIRST_CAUTION, Arrests, Offences, offence_kinds
from warehouse.synth.identity import Identity, corrections, identify, upper
from warehouse.synth.ids import hashed, pnc_ids, scrambled
from warehouse.synth.names import NameTables
from warehouse.synth.nights import Cells, Rows, known
from warehouse.synth.offence_groups import offence_groups
from warehouse.synth.people import People, Period
from warehouse.synth.rates import rate

ISO = "YYYY-MM-DD"
OBSERVED = ("1", "2", "3", "4", "5", "6", "9")
_OBSERVED_OF_ETHNIC = {"A": 0, "B": 0, "C": 0, "D": 2, "E": 2, "F": 3, "G": 2, "H": 3, "J": 3, "K": 3, "L": 3, "M": 2, "N": 2, "P": 2, "R": 4, "S": 5, "Z": 0}
FIRST_LSOA, LSOAS_PER_AREA = 900_000, 300
SLOTS = 4  # running numbers set aside for each person's nominals


@dataclass(frozen=True)
class Nominals:
    """The force's records of people: `person` each is about; a duplicate record is the second one of its person."""

    person: Ints
    made: Ints
    known: Ints
    withdrawn: Ints
    number: Ints
    duplicate: Flags

    def first_made(self, count: int) -> Ints:
        """The day of the first record of each of `count` people; NEVER for those without one."""
        made = np.full(count, NEVER)
        np.minimum.at(made, self.person, self.made)
        return made


def build_police(
    rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, nominals: Nominals, offences: Offences, arrests: Arrests, span: Period
) -> dict[str, Rows]:
    """The rows of the five police tables. `nominals` were made with the same generator just before."""
    fixed = corrections(rng, span.first_night, len(nominals.person))
    identity = identify(rng, people, names, "police", nominals.person, nominals.made, fixed)
    first = np.searchsorted(nominals.person, np.arange(people.count))
    of_offence = _nominal_of(rng, nominals, first, offences.person)
    of_arrest = _nominal_of(rng, nominals, first, arrests.person)
    matched = arrests.offence >= 0
    of_arrest = np.where(matched, of_offence[np.maximum(arrests.offence, 0)] if len(of_offence) else of_arrest, of_arrest)
    return {
        "nominals": _nominal_rows(rng, people, addresses, names, nominals, identity, fixed, span),
        "aliases": _alias_rows(rng, people, names, nominals, identity, span),
        "addresses": _address_rows(rng, people, addresses, nominals, span),
        "offences": _offence_rows(rng, addresses, nominals, of_offence, offences, span),
        "arrests": _arrest_rows(rng, nominals, of_arrest, arrests, span),
    }


def make_nominals(rng: np.random.Generator, people: People, offences: Offences, arrests: Arrests, span: Period) -> Nominals:
    """One record for each person known to the police, and a second one for a few, made later."""
    person = np.flatnonzero(people.police)
    contact = np.full(people.count, NEVER)
    np.minimum.at(contact, offences.person, np.minimum(offences.disposal_day, NEVER))
    np.minimum.at(contact, arrests.person, arrests.day)
    long_ago = span.start - (rng.exponential(6.0, len(person)) * YEAR).astype(np.int64)
    during = span.start + (rng.random(len(person)) * (span.end - span.start)).astype(np.int64)
    other = np.where(chance(rng, rate("police.known_before_history"), len(person)), long_ago, during)
    made = np.minimum(np.minimum(contact[person], other), people.dies[person])
    made = np.clip(np.maximum(made, people.born[person] + int(12 * YEAR)), None, np.minimum(contact[person], span.end))
    again = chance(rng, rate("identifiers.duplicate_nominals"), len(person))
    again_made = made[again] + (rng.random(int(again.sum())) * np.maximum(span.end - made[again], 1)).astype(np.int64)
    who = np.r_[person, person[again]]
    when = np.r_[made, again_made]
    duplicate = np.r_[np.zeros(len(person), dtype=bool), np.ones(len(again_made), dtype=bool)]
    order = np.lexsort((duplicate, who))
    who, when, duplicate = who[order], when[order], duplicate[order]
    night = known(when, np.zeros(len(who), dtype=np.int64), span.first_night)
    merged = corrections(rng, span.first_night, len(who))
    # A duplicate record that holds nothing else may be found out and deleted.
    withdrawn = np.where(duplicate & (merged > night) & (offences_per(offences, people.count)[who] == 0), merged, NEVER)
    number = scrambled(people.person_id[who] * SLOTS + duplicate, 1)
    return Nominals(who, when, night, withdrawn, number, duplicate)


def offences_per(offences: Offences, count: int) -> Ints:
    """Number of proven offences of each person."""
    return np.bincount(offences.person, minlength=count)


def _nominal_of(rng: np.random.Generator, nominals: Nominals, first: Ints, person: Ints) -> Ints:
    """The record under which an offence or arrest of a person is kept: now and then the duplicate, if it stays."""
    row = first[person]
    second = np.minimum(row + 1, len(nominals.person) - 1)
    usable = (nominals.person[second] == person) & nominals.duplicate[second] & (nominals.withdrawn[second] == NEVER)
    return np.where(usable & chance(rng, 0.3, len(person)), second, row)


def _numbers(nominals: Nominals, rows: Ints) -> Text:
    return join("N", numbers(nominals.number[rows]))


def _nominal_rows(
    rng: np.random.Generator, people: People, addresses: Addresses, names: NameTables, nominals: Nominals, identity: Identity, fixed: Ints, span: Period
) -> Rows:
    person = nominals.person
    count = len(person)
    holds_pnc = chance(rng, rate("identifiers.pnc_held"), count)
    first_made = nominals.made[np.searchsorted(person, person)]
    observed = np.array([_OBSERVED_OF_ETHNIC[code] for code in "ABCDEFGHJKLMNPRSZ"])[people.ethnic[person]]
    odd = chance(rng, rate("police.ethnic_misjudged"), count)
    observed = np.where(odd, rng.integers(0, len(OBSERVED), count), observed)
    unseen = chance(rng, rate("police.ethnic_filled_in_later"), count)
    area = addresses.area[addresses.at(person, nominals.made)]
    forces = [a.force for a in addresses.country.areas]
    middle = blank(pick(names.forenames, np.maximum(people.middle[person], 0)), (people.middle[person] < 0) | chance(rng, 0.45, count))

    def cells(rows: Ints, night: int) -> Cells:
        written = upper(identity.at(rows, night))
        blank_forename = _missing_forename(nominals.number[rows])
        filled = ~unseen[rows] | (fixed[rows] <= night)
        return {
            "NOMINAL_ID": _numbers(nominals, rows),
            "PNC_ID": blank(pnc_ids(people.person_id[person[rows]], first_made[rows]), ~holds_pnc[rows]),
            "FORENAME": blank(written.forename, blank_forename),
            "MIDDLE_NAME": pc.utf8_upper(middle.take(rows)),
            "SURNAME": written.surname,
            "DOB": date_texts(written.born, ISO),
            "SEX": _sexes(identity.sex[rows], nominals.number[rows]),
            "ETHNIC_OBSERVED": pick(OBSERVED, np.where(filled, observed[rows], len(OBSERVED) - 1)),
            "FORCE_CODE": pick(forces, area[rows]),
        }

    changed = np.where(unseen, fixed, NEVER)
    return Rows(nominals.known, cells, [identity.corrected_on, changed], nominals.withdrawn, (people.person_id[person], lambda rows: _numbers(nominals, rows)))


def _missing_forename(number: Ints) -> Flags:
    missing: Flags = hashed(number) % 1000 < 1000 * rate("identifiers.police_forename_missing")
    return missing


def _sexes(sex: Ints, number: Ints) -> Text:
    unknown = hashed(number, number) % 1000 < 1000 * rate("identifiers.police_sex_unknown")
    return pick(["M", "F", "U"], np.where(unknown, 2, sex))


def _alias_rows(rng: np.random.Generator, people: People, names: NameTables, nominals: Nominals, identity: Identity, span: Period) -> Rows:
    """Nicknames, former surnames and false names."""
    person = nominals.person
    count = len(person)
    offends = people.group[person] < 5
    nick = names.nicknames.has(people.forename[person]) & chance(rng, rate("identifiers.alias_nickname"), count)
    maiden = (people.married_on[person] < nominals.made) & chance(rng, rate("identifiers.alias_maiden"), count)
    false = chance(rng, np.where(offends, rate("identifiers.alias_false_users"), rate("identifiers.alias_false")), count)
    parts = [np.flatnonzero(nick), np.flatnonzero(maiden), np.flatnonzero(false)]
    nominal = np.concatenate(parts)
    kind = np.repeat(np.arange(3), [len(p) for p in parts])
    order = np.lexsort((kind, nominal))
    nominal, kind = nominal[order], kind[order]
    who = person[nominal]
    other_forename = chance(rng, 0.6, len(who))
    drawn = names.draw_forenames(rng, people.sex[who], people.origin[who], np.full(len(who), 1985))
    forename = np.select([kind == 0, (kind == 2) & other_forename], [names.nicknames.draw(rng, people.forename[who]), drawn], people.forename[who])
    false_surname = names.draw_surnames(rng, people.origin[who])
    surname = np.select([kind == 1, kind == 2], [people.surname[who], false_surname], people.surname_at(who, nominals.made[nominal]))
    gives_birth = chance(rng, rate("identifiers.alias_with_dob"), len(who))
    shift = np.where((kind == 2) & chance(rng, 0.5, len(who)), rng.integers(-700, 700, len(who)), 0)
    number = rank_within(np.bincount(nominal, minlength=count)) + 1
    lag = rng.integers(0, 900, len(who))

    def cells(rows: Ints, night: int) -> Cells:
        born = np.where(gives_birth[rows], people.born[who[rows]] + shift[rows], NEVER)
        return {
            "NOMINAL_ID": _numbers(nominals, nominal[rows]),
            "ALIAS_NO": numbers(number[rows]),
            "ALIAS_TYPE": pick(["N", "M", "A"], kind[rows]),
            "FORENAME": pc.utf8_upper(names.forenames.take(forename[rows])),
            "SURNAME": pc.utf8_upper(names.surnames.take(surname[rows])),
            "DOB": date_texts(born, ISO),
        }

    return Rows(_with(nominals, nominal, known(nominals.made[nominal], lag, span.first_night)), cells, [], nominals.withdrawn[nominal])


def _with(nominals: Nominals, nominal: Ints, night: Ints) -> Ints:
    """The night of a row, not before its nominal's."""
    return np.maximum(night, nominals.known[nominal])


def _address_rows(rng: np.random.Generator, people: People, addresses: Addresses, nominals: Nominals, span: Period) -> Rows:
    """Where the force knew a person to live: the address when the record was made, and some of those after it."""
    share = np.where(people.group < 5, rate("police.address_learnt_users"), rate("police.address_learnt"))
    of_person = np.searchsorted(nominals.person, addresses.person)
    of_person = np.minimum(of_person, len(nominals.person) - 1)
    has_record = nominals.person[of_person] == addresses.person
    home = addresses.at(nominals.person, nominals.made)
    later = np.flatnonzero(has_record & (addresses.start > nominals.made[of_person]) & chance(rng, share[addresses.person], len(addresses.person)))
    nominal = np.r_[np.arange(len(nominals.person)), of_person[later]]
    address = np.r_[home, later]
    order = np.lexsort((addresses.start[address], nominal))
    nominal, address = nominal[order], address[order]
    number = rank_within(np.bincount(nominal, minlength=len(nominals.person))) + 1
    seen = np.maximum(addresses.start[address], nominals.made[nominal]) + rng.integers(0, 120, len(nominal))
    seen = np.maximum(np.minimum(seen, np.maximum(addresses.end[address] - 1, nominals.made[nominal])), nominals.made[nominal])
    first_known = _with(nominals, nominal, known(seen, np.zeros(len(seen), dtype=np.int64), span.first_night))
    left = np.where(chance(rng, 0.6, len(nominal)), addresses.end[address], NEVER)
    left = np.where(left >= seen, left, NEVER)
    left_known = np.where(left < NEVER, np.maximum(left + rng.integers(1, 200, len(nominal)), first_known), NEVER)

    def cells(rows: Ints, night: int) -> Cells:
        return {
            "NOMINAL_ID": _numbers(nominals, nominal[rows]),
            "ADDRESS_NO": numbers(number[rows]),
            "ADDRESS_LINE": pc.utf8_upper(addresses.lines(address[rows])),
            "POSTCODE": blank(addresses.postcodes(address[rows]), hashed(nominals.number[nominal[rows]], number[rows]) % 100 < 4),
            "LAD_CODE": addresses.area_codes(address[rows]),
            "FROM_DATE": date_texts(seen[rows], ISO),
            "TO_DATE": date_texts(np.where(left_known[rows] <= night, left[rows], NEVER), ISO),
        }

    return Rows(first_known, cells, [left_known], nominals.withdrawn[nominal])


def _offence_rows(rng: np.random.Generator, addresses: Addresses, nominals: Nominals, nominal: Ints, offences: Offences, span: Period) -> Rows:
    """Proven offences, delivered once proven. A correction moves the date of the disposal; a release is an update."""
    count = len(nominal)
    first_known = _with(nominals, nominal, known(offences.disposal_day, rng.integers(0, 15, count), span.first_night))
    late = chance(rng, rate("nights.registered_late"), count)
    first_known = np.where(late, first_known + np.where(offences.disposal_day > span.first_night - 60, rng.integers(5, 60, count), 0), first_known)
    fixed = np.where(chance(rng, 0.5, count), corrections(rng, span.first_night, count), NEVER)
    # Until corrected, such a row bears a disposal date some days too late, but not after the night it was first sent.
    shift = np.clip(rng.integers(1, 6, count), 0, np.maximum(np.minimum(offences.custody_start, first_known) - offences.disposal_day, 0))
    released = np.maximum(offences.custody_end + rng.integers(0, 4, count), first_known)
    quashed = np.where(chance(rng, 0.02, count), corrections(rng, span.first_night, count) + 1, NEVER)
    number = offence_numbers(nominals, nominal, offences.day)
    kinds = offence_kinds()
    lsoa = _offence_lsoas(addresses, offences, number)

    def cells(rows: Ints, night: int) -> Cells:
        wrong = np.where(fixed[rows] > night, shift[rows], 0)
        kind = offences.kind[rows]
        return {
            "NOMINAL_ID": _numbers(nominals, nominal[rows]),
            "OFFENCE_ID": join("O", numbers(number[rows])),
            "HO_CLASS": numbers(kinds.ho_class[kind]),
            "HO_SUBCLASS": numbers(kinds.ho_subclass[kind]),
            "OFFENCE_GROUP": pick(offence_groups(), kind),
            "OFFENCE_DATE": date_texts(offences.day[rows], ISO),
            "PROVEN_BY": pick(["C", "K"], (offences.disposal[rows] >= FIRST_CAUTION).astype(np.int64)),
            "DISPOSAL_CODE": pick(DISPOSALS, offences.disposal[rows]),
            "DISPOSAL_DATE": date_texts(offences.disposal_day[rows] + wrong, ISO),
            "CUSTODY_START": date_texts(offences.custody_start[rows], ISO),
            "CUSTODY_END": date_texts(np.where(released[rows] <= night, offences.custody_end[rows], NEVER), ISO),
            "LSOA_CODE": blank(join("E01", numbers(lsoa[rows])), number[rows] % 1000 < 1000 * rate("police.offence_place_unknown")),
        }

    return Rows(first_known, cells, [np.where(shift > 0, fixed, NEVER), np.where(offences.custody_end < NEVER, released, NEVER)], quashed)


def _offence_lsoas(addresses: Addresses, offences: Offences, number: Ints) -> Ints:
    """The last six digits of the LSOA of each offence, in the authority where the offender lives: many in its centre, the others spread.

    By hash, so that no draw of another column moves. The codes are well formed and none of England's, which end below 040000.
    """
    area = addresses.area[addresses.at(offences.person, offences.day)]
    place = hashed(number, offences.day)
    ward = np.where(place % 100 < 100 * rate("police.offence_in_centre"), 0, 1 + (place // 100) % (LSOAS_PER_AREA - 1))
    return np.int64(FIRST_LSOA) + area * LSOAS_PER_AREA + ward


def offence_numbers(nominals: Nominals, nominal: Ints, day: Ints) -> Ints:
    """A number for each offence, unique within its nominal."""
    return hashed(nominals.number[nominal], day, np.arange(len(nominal)) % 977)


def _arrest_rows(rng: np.random.Generator, nominals: Nominals, nominal: Ints, arrests: Arrests, span: Period) -> Rows:
    count = len(nominal)
    first_known = _with(nominals, nominal, known(arrests.day, rng.integers(0, 4, count), span.first_night))
    fixed = corrections(rng, span.first_night, count)
    pending = chance(rng, 0.1, count) & (arrests.opiate < 2)
    number = hashed(nominals.number[nominal] + 17, arrests.day, np.arange(count) % 977)

    def cells(rows: Ints, night: int) -> Cells:
        waits = pending[rows] & (fixed[rows] > night)
        return {
            "NOMINAL_ID": _numbers(nominals, nominal[rows]),
            "ARREST_ID": join("A", numbers(number[rows])),
            "ARREST_DATE": date_texts(arrests.day[rows], ISO),
            "TRIGGER_OFFENCE": flags(arrests.trigger[rows]),
            "OPIATE_RESULT": either(waits, "X", pick(list("PNRX"), arrests.opiate[rows])),
            "COCAINE_RESULT": either(waits, "X", pick(list("PNRX"), arrests.cocaine[rows])),
        }

    return Rows(first_known, cells, [np.where(pending, fixed, NEVER)])
