"""The list of prolific and other priority offenders."""

from __future__ import annotations

import numpy as np

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, Ints, Text, blank, chance, date_texts, join, numbers, pick
from warehouse.synth.identity import corrections, identify
from warehouse.synth.ids import pnc_ids, scrambled
from warehouse.synth.names import NameTables
from warehouse.synth.nights import Cells, Rows, known
from warehouse.synth.people import People, Period
from warehouse.synth.priority_lists import REMOVALS, STRANDS, Nominations
from warehouse.synth.rates import rate

ISO = "YYYY-MM-DD"


def build_priority_offenders(
    rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, nominations: Nominations, first_police_record: Ints, span: Period
) -> dict[str, Rows]:
    """The rows of the one table: the whole list, past nominations included.

    Args:
        first_police_record: for each person the day of the police's first record, which is in the Police National Computer id.
    """
    n = nominations
    count = len(n.person)
    # A person's number with the schemes and what they know of the person are those of the first nomination.
    first = np.searchsorted(n.person, n.person)
    fixed = corrections(rng, span.first_night, count)
    written = identify(rng, people, names, "priority_offenders", n.person, n.nominated, fixed)
    holds_pnc = chance(rng, rate("identifiers.priority_offender_pnc_held"), count)
    entered = known(n.nominated, rng.integers(0, 15, count), span.first_night)
    left = np.maximum(known(n.removed, rng.integers(0, 15, count), span.first_night), entered)
    scheme = addresses.at(n.person, n.nominated)
    number = scrambled(people.person_id[n.person], 8)

    def record_id(rows: Ints) -> Text:
        return join("PPO", numbers(number[rows]))

    def cells(rows: Ints, night: int) -> Cells:
        taken_down = written.at(first[rows], night)
        told = left[rows] <= night
        return {
            "PPO_NO": record_id(rows),
            "NOMINATION_NO": numbers(n.number[rows]),
            "PNC_ID": blank(pnc_ids(people.person_id[n.person[rows]], first_police_record[n.person[rows]]), ~holds_pnc[first[rows]]),
            "FORENAME": taken_down.forename,
            "SURNAME": taken_down.surname,
            "DOB": date_texts(taken_down.born, ISO),
            "SEX": pick(["M", "F"], written.sex[first[rows]]),
            "LAD_CODE": addresses.area_codes(scheme[rows]),
            "STRAND": pick(STRANDS, n.strand[rows]),
            "NOMINATION_DATE": date_texts(n.nominated[rows], ISO),
            "REMOVAL_DATE": date_texts(np.where(told, n.removed[rows], NEVER), ISO),
            "REMOVAL_REASON": pick(REMOVALS, n.removal[rows], ~told),
        }

    return {"nominations": Rows(entered, cells, record=(people.person_id[n.person], record_id))}
