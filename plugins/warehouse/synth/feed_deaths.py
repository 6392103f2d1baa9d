"""The death registrations extract."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, Ints, Text, blank, chance, date_texts, either, join, numbers, pick
from warehouse.synth.identity import corrections, identify
from warehouse.synth.ids import hashed, padded, scrambled
from warehouse.synth.mortality import CERTIFICATES, INQUEST_ADJOURNED, PLACES, UNKNOWN_CAUSE, Deaths, causes
from warehouse.synth.names import NameTables
from warehouse.synth.nights import Cells, Rows, known
from warehouse.synth.people import People, Period
from warehouse.synth.rates import rate

ISO = "YYYY-MM-DD"
SLOTS = 2  # running numbers set aside for each death
CAUSES_MENTIONED = 6
FIRST_DISTRICT = 100


def build_deaths(rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, deaths: Deaths, span: Period) -> dict[str, Rows]:
    """The rows of the one table. A few deaths are entered twice; the second entry is found out and cancelled."""
    twice = np.flatnonzero(chance(rng, rate("deaths.entered_twice"), len(deaths.person)))
    row = np.r_[np.arange(len(deaths.person)), twice]
    entry = np.r_[np.zeros(len(deaths.person), dtype=np.int64), np.ones(len(twice), dtype=np.int64)]
    order = np.lexsort((entry, row))
    row, entry = row[order], entry[order]
    count = len(row)
    person, day = deaths.person[row], deaths.day[row]
    registered = deaths.registered[row] + np.where(entry == 1, rng.integers(0, 5, count), 0)
    first_known = known(registered, rng.integers(1, 8, count), span.first_night)
    amended = known(deaths.amended[row], rng.integers(1, 15, count), span.first_night)
    fixed = corrections(rng, span.first_night, count)
    identity = identify(rng, people, names, "deaths", person, day, fixed)
    number = scrambled(people.person_id[person] * SLOTS + entry, 6)
    home = addresses.at(person, day)
    has_middle = people.middle[person] >= 0
    had_maiden_name = people.surname[person] != people.surname_at(person, day)
    district = FIRST_DISTRICT + addresses.area[home]
    mentioned = chance(rng, rate("deaths.cause_mentioned"), count)

    def cells(rows: Ints, night: int) -> Cells:
        written = identity.at(rows, night)
        who, place = person[rows], home[rows]
        waiting = amended[rows] > night
        waiting &= deaths.amended[row[rows]] < NEVER
        cause = deaths.cause[row[rows]]
        return {
            "REGISTRATION_ID": join("DR", numbers(number[rows])),
            "FORENAME": written.forename,
            "MIDDLE_NAMES": blank(pick(names.forenames, np.maximum(people.middle[who], 0)), ~has_middle[rows]),
            "SURNAME": written.surname,
            "MAIDEN_SURNAME": blank(names.surnames.take(people.surname[who]), ~had_maiden_name[rows]),
            "DOB": date_texts(written.born, ISO),
            "SEX": pick(["M", "F"], identity.sex[rows]),
            "ADDRESS_LINE": addresses.lines(place),
            "POSTCODE": blank(addresses.postcodes(place), hashed(number[rows]) % 1000 < 1000 * rate("deaths.postcode_missing")),
            "LAD_CODE": addresses.area_codes(place),
            "DATE_OF_DEATH": date_texts(day[rows], ISO),
            "DATE_REGISTERED": date_texts(registered[rows], ISO),
            "REGISTRATION_DISTRICT": padded(district[rows], 3),
            "PLACE_OF_DEATH": pick(PLACES, deaths.place[row[rows]]),
            "CERTIFIED_BY": pick(CERTIFICATES, np.where(waiting, INQUEST_ADJOURNED, deaths.certificate[row[rows]])),
            "UNDERLYING_CAUSE": either(waiting, UNKNOWN_CAUSE, pick(causes().underlying, cause)),
        } | _mentioned(cause, waiting | ~mentioned[rows])

    cancelled = np.where(entry == 1, np.maximum(fixed, first_known + 1), NEVER)
    record = (people.person_id[person], lambda rows: join("DR", numbers(number[rows])))
    return {"registrations": Rows(first_known, cells, [identity.corrected_on, amended], cancelled, record)}


def _mentioned(cause: Ints, silent: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Cells:
    """The causes mentioned beside the underlying one, in the order of the certificate."""
    mentioned = causes().mentioned
    longest = max(len(codes) for codes in mentioned)
    columns: dict[str, Text] = {}
    for place in range(min(longest, CAUSES_MENTIONED)):
        pool = pa.array([codes[place] if len(codes) > place else None for codes in mentioned], pa.string())
        columns[f"CAUSE_{place + 1}"] = blank(pool.take(pa.array(cause)), silent)
    return columns
