"""How an agency knows a person: the name, date of birth and ids on its record, with the errors real records have.

The error rates of each agency stand in `rates.yaml` under `identifiers`. An error belongs to the record, not to a row of
it: the same record shows it in every table. Some errors are put right on a later night (`corrected_on`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.synth.arrays import NEVER, Flags, Ints, Text, blank, calendar, chance, either, from_calendar
from warehouse.synth.ids import insurance_numbers
from warehouse.synth.names import NameTables
from warehouse.synth.people import People
from warehouse.synth.rates import rate, table
from warehouse.synth.typing_errors import slip


@dataclass(frozen=True)
class Names:
    """Names and date of birth as written on records. `born` is NEVER where the agency does not hold it."""

    forename: Text
    surname: Text
    born: Ints


@dataclass(frozen=True)
class Identity:
    """What an agency's records say of the people they are about.

    `written` holds the errors, `right` is the same without slips and wrong dates (a nickname stays). From `corrected_on`
    on the record says `right`.
    """

    written: Names
    right: Names
    sex: Ints
    corrected_on: Ints
    wrong: Flags

    def at(self, rows: Ints, night: int) -> Names:
        """The names of some records as they stand on a night."""
        mended = self.corrected_on[rows] <= night
        forename = either(mended, self.right.forename.take(rows), self.written.forename.take(rows))
        surname = either(mended, self.right.surname.take(rows), self.written.surname.take(rows))
        return Names(forename, surname, np.where(mended, self.right.born[rows], self.written.born[rows]))


def identify(rng: np.random.Generator, people: People, names: NameTables, agency: str, person: Ints, known_on: Ints, corrected_on: Ints) -> Identity:
    """The identity on each record of an agency.

    Args:
        agency: the section of `identifiers` in the rates.
        person: whom each record is about.
        known_on: when the record was made: it bears the surname of that day.
        corrected_on: the night on which an error, if there is one, is put right.
    """
    rates: dict[str, float] = table(f"identifiers.{agency}")
    count = len(person)
    forename_index = people.forename[person]
    by_middle = (people.middle[person] >= 0) & chance(rng, rates["known_by_middle_name"], count)
    forename_index = np.where(by_middle, people.middle[person], forename_index)
    nicked = chance(rng, rates["nickname"], count)
    forename_index = np.where(nicked, names.nicknames.draw(rng, forename_index), forename_index)
    slow = chance(rng, rates["old_surname_kept"], count)
    surname_index = np.where(slow, people.surname[person], people.surname_at(person, known_on))
    right = Names(names.forenames.take(forename_index), names.surnames.take(surname_index), people.born[person])
    spelt = chance(rng, rates["surname_spelling"], count)
    other_spelling = np.where(spelt, names.spellings.draw(rng, surname_index), surname_index)
    forename, forename_slip = _with_slips(rng, right.forename, rates["forename_slip"])
    surname, surname_slip = _with_slips(rng, names.surnames.take(other_spelling), rates["surname_slip"])
    swapped = chance(rng, rates["names_swapped"], count)
    forename, surname = either(swapped, surname, forename), either(swapped, forename, surname)
    born, born_wrong = wrong_births(rng, right.born, rates)
    missing = chance(rng, rates["dob_missing"], count)
    born = np.where(missing, NEVER, born)
    sex = np.where(chance(rng, rates["sex_wrong"], count), 1 - people.sex[person], people.sex[person])
    wrong = forename_slip | surname_slip | swapped | born_wrong | missing | (other_spelling != surname_index)
    return Identity(Names(forename, surname, born), right, sex, np.where(wrong, corrected_on, NEVER), wrong)


def _with_slips(rng: np.random.Generator, texts: Text, share: float) -> tuple[Text, Flags]:
    """The texts with a slip in the given share of them, and which ones."""
    hit = chance(rng, share, len(texts))
    rows = np.flatnonzero(hit)
    place = np.where(hit, np.cumsum(hit) - 1 + len(texts), np.arange(len(texts)))
    return pa.concat_arrays([texts, slip(rng, texts.take(rows))]).take(pa.array(place)), hit


def wrong_births(rng: np.random.Generator, born: Ints, rates: dict[str, float]) -> tuple[Ints, Flags]:
    """Dates of birth with the usual errors: a digit, day and month swapped, or 1 January of the year for want of better."""
    count = len(born)
    year, month, day = calendar(born)
    kind = np.searchsorted(np.cumsum([rates["dob_digit"], rates["dob_swapped"], rates["dob_first_january"]]), rng.random(count), side="right")
    part = rng.integers(0, 4, count)
    step = np.where(rng.random(count) < 0.5, -1, 1)
    digit_year = year + step * np.select([part == 0, part == 1], [1, 10], 0)
    digit_month = np.where(part == 2, np.clip(month + step, 1, 12), month)
    digit_day = np.where(part == 3, np.clip(day + step * np.where(rng.random(count) < 0.3, 10, 1), 1, 28), day)
    digits = from_calendar(digit_year, digit_month, np.where(part == 3, digit_day, np.minimum(day, 28)))
    swapped = from_calendar(year, np.where(day <= 12, day, month), np.where(day <= 12, month, day))
    january = from_calendar(year, np.ones_like(month), np.ones_like(day))
    result = np.select([kind == 0, kind == 1, kind == 2], [digits, swapped, january], born)
    # Nobody in these files is a child by mistake: agencies check the age they key in.
    result = np.where(result > born + 730, born, result)
    return result, result != born


def national_insurance(rng: np.random.Generator, people: People, agency: str, person: Ints) -> Text:
    """The National Insurance number on each record; null where the agency does not hold it, now and then one digit wrong."""
    rates: dict[str, float] = table(f"identifiers.{agency}")
    right = insurance_numbers(people.person_id[person])
    wrong = chance(rng, rates["nino_slip"], len(person))
    digit = pc.cast(rng.integers(0, 10, len(person)), right.type)
    mistyped = pc.binary_join_element_wise(pc.utf8_slice_codeunits(right, 0, 5), digit, pc.utf8_slice_codeunits(right, 6, 9), "")
    return blank(either(wrong, mistyped, right), ~chance(rng, rates["nino_held"], len(person)))


def upper(names: Names) -> Names:
    """The names in capitals, as police systems write them."""
    return replace(names, forename=pc.utf8_upper(names.forename), surname=pc.utf8_upper(names.surname))


def corrections(rng: np.random.Generator, first_night: int, count: int) -> Ints:
    """The night on which each row is corrected: each night the same share of rows."""
    return first_night + rng.geometric(rate("nights.corrected_per_night"), count)
