"""The custody extract: receptions into prison and releases from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc

from warehouse.synth.arrays import NEVER, Ints, Text, blank, chance, date_texts, either, join, numbers, pick
from warehouse.synth.identity import Identity, identify
from warehouse.synth.ids import hashed, padded, pnc_ids
from warehouse.synth.names import NameTables
from warehouse.synth.nights import Cells, Rows, known
from warehouse.synth.people import People, Period
from warehouse.synth.prison_stays import RECEPTIONS, RELEASES, SENTENCES, PrisonStays, prisons
from warehouse.synth.rates import rate

ISO = "YYYY-MM-DD"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SLOTS = 2  # prison numbers set aside for each person
_NUMBERS = 26 * 10_000 * 26 * 26  # a letter, four digits, two letters


def build_custody(rng: np.random.Generator, people: People, names: NameTables, stays: PrisonStays, first_police_record: Ints, span: Period) -> dict[str, Rows]:
    """The rows of the two tables.

    Args:
        first_police_record: for each person the day of the police's first record, which is in the Police National Computer id.
    """
    count = len(stays.person)
    # What reception staff take down is the record of one time in custody; transfers pass it on. It is never corrected.
    first = np.flatnonzero(np.r_[True, stays.term[1:] != stays.term[:-1]][:count])
    written = identify(rng, people, names, "custody", stays.person[first], stays.start[first], np.full(len(first), NEVER))
    serial = people.person_id[stays.person] * SLOTS + _second_number(rng, people, stays, first)
    number = prison_numbers(serial)
    entered = known(stays.start, rng.integers(0, 4, count), span.first_night)
    left = np.where(stays.end <= span.end, np.maximum(known(stays.end, rng.integers(0, 4, count), span.first_night), entered), NEVER)
    establishment = _establishments(rng, people, stays)

    def record_id(rows: Ints) -> Text:
        return number.take(rows)

    return {
        "receptions": _reception_rows(rng, people, names, stays, written, number, serial, entered, establishment, first_police_record, record_id),
        "releases": _release_rows(stays, number, serial, left, establishment),
    }


def prison_numbers(serial: Ints) -> Text:
    """A different prison number, such as A1234BC, for each serial number below 175,760,000."""
    value = (serial * 27_182_819 + 3_141_593) % _NUMBERS
    letters = list(LETTERS)
    return join(pick(letters, value // 6_760_000), padded(value // 676 % 10_000, 4), pick(letters, value // 26 % 26), pick(letters, value % 26))


def _second_number(rng: np.random.Generator, people: People, stays: PrisonStays, first: Ints) -> Ints:
    """1 for the stays of people who were not recognised when they came back, and were given another prison number; else 0."""
    forgotten = chance(rng, rate("identifiers.second_prison_number"), people.count)[stays.person]
    first_term = stays.term[np.searchsorted(stays.person, stays.person)]
    return (forgotten & (stays.term > first_term)).astype(np.int64)


def _establishments(rng: np.random.Generator, people: People, stays: PrisonStays) -> Text:
    """A prison for each stay: one near home for local ones, any for training prisons."""
    count = len(stays.person)
    drawn = rng.integers(0, 1_000_000, count)
    near = people.area[stays.person]
    sex = people.sex[stays.person]
    texts = {kind: pick(codes, (drawn if kind[1] else near) % len(codes)) for kind, codes in prisons().items()}
    men = either(stays.training, texts[0, True], texts[0, False])
    return either(sex == 1, either(stays.training, texts[1, True], texts[1, False]), men)


def _reception_rows(
    rng: np.random.Generator, people: People, names: NameTables, stays: PrisonStays, written: Identity, number: Text, serial: Ints,
    entered: Ints, establishment: Text, first_police_record: Ints, record_id: Callable[[Ints], Text],
) -> Rows:  # fmt: skip
    count = len(stays.person)
    pnc = _police_ids(rng, people, stays, first_police_record)
    middle = people.middle[stays.person]
    names_middle = (middle >= 0) & chance(rng, rate("custody.middle_name_taken"), count)

    def cells(rows: Ints, night: int) -> Cells:
        term = stays.term[rows]
        taken_down = written.at(term, night)
        sentence, days = stays.sentence[rows], stays.sentence_days[rows]
        return {
            "PRISON_NO": number.take(rows),
            "RECEPTION_ID": numbers(hashed(serial[rows], stays.start[rows], stays.reception[rows])),
            "PNC_ID": pnc.take(rows),
            "FORENAME": taken_down.forename,
            "MIDDLE_NAME": blank(pick(names.forenames, np.maximum(middle[rows], 0)), ~names_middle[rows]),
            "SURNAME": taken_down.surname,
            "DOB": date_texts(taken_down.born, ISO),
            "SEX": pick(["M", "F"], people.sex[stays.person[rows]]),
            "RECEPTION_DATE": date_texts(stays.start[rows], ISO),
            "RECEPTION_TYPE": pick(RECEPTIONS, stays.reception[rows]),
            "ESTABLISHMENT": establishment.take(rows),
            "SENTENCE_TYPE": pick(SENTENCES, np.maximum(sentence, 0), sentence < 0),
            "SENTENCE_DAYS": numbers(days, days == 0),
        }

    return Rows(entered, cells, record=(people.person_id[stays.person], record_id))


def _police_ids(rng: np.random.Generator, people: People, stays: PrisonStays, first_police_record: Ints) -> Text:
    """The Police National Computer id brought from court; missing now and then, or with one digit wrong."""
    count = len(stays.person)
    right = pnc_ids(people.person_id[stays.person], first_police_record[stays.person])
    digit = pc.cast(rng.integers(0, 10, count), right.type)
    mistyped = pc.binary_join_element_wise(pc.utf8_slice_codeunits(right, 0, 8), digit, pc.utf8_slice_codeunits(right, 9, 13), "")
    slipped = either(chance(rng, rate("identifiers.custody_pnc_slip"), count), mistyped, right)
    return blank(slipped, ~chance(rng, rate("identifiers.custody_pnc_held"), count))


def _release_rows(stays: PrisonStays, number: Text, serial: Ints, left: Ints, establishment: Text) -> Rows:
    def cells(rows: Ints, night: int) -> Cells:
        return {
            "PRISON_NO": number.take(rows),
            "RELEASE_ID": numbers(hashed(serial[rows], stays.end[rows], stays.release[rows])),
            "RECEPTION_DATE": date_texts(stays.start[rows], ISO),
            "RELEASE_DATE": date_texts(stays.end[rows], ISO),
            "RELEASE_TYPE": pick(RELEASES, stays.release[rows]),
            "ESTABLISHMENT": establishment.take(rows),
            "LICENCE_END_DATE": date_texts(stays.licence_end[rows], ISO),
        }

    return Rows(left, cells)
