"""Time in prison as it really happened: remand before court, sentences, transfers, and how each stay ended.

One row of `PrisonStays` is one stay in one establishment; stays that follow each other on the same day are one time in
custody. Sentences are those of the proven offences, so the police's custody dates and the prisons' agree.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from warehouse.synth.arrays import NEVER, Flags, Ints, chance, choose
from warehouse.synth.crime import CUSTODY_CODE, FIRST_CAUTION, Arrests, Offences, custody_spans
from warehouse.synth.people import People
from warehouse.synth.rates import rate, vector
from warehouse.synth.treatment import running_latest

RECEPTIONS = ("N", "V", "I", "INT")
REMANDED, UNSENTENCED, SENTENCED, TRANSFERRED_IN = range(4)
RELEASES = ("CR", "HDC", "PAR", "SED", "DEP", "OTH", "CRT", "NOTR", "DEC")
LICENCE, CURFEW, PAROLE, END_OF_SENTENCE = range(4)
BY_COURT, TRANSFERRED_OUT, DIED = 6, 7, 8
SENTENCES = ("D", "E", "L")
LONGEST_SENTENCE = 36_000  # days
_DAYS = NEVER * 2  # more than any day, so that person * _DAYS + day sorts by person, then day


@dataclass(frozen=True)
class PrisonStays:
    """Stays ordered by person and day. `term` numbers times in custody; `sentence` is -1 and `sentence_days` 0 without one.

    `licence_end` is NEVER where the release is not on licence. `training` tells prisons for sentenced people from local ones.
    """

    person: Ints
    start: Ints
    end: Ints
    term: Ints
    reception: Ints
    release: Ints
    sentence: Ints
    sentence_days: Ints
    licence_end: Ints
    training: Flags


@lru_cache(maxsize=1)
def prisons() -> dict[tuple[int, bool], tuple[str, ...]]:
    """Codes of the establishments in `prisons.csv`, by sex (0 men, 1 women) and whether they are training prisons."""
    codes: dict[tuple[int, bool], tuple[str, ...]] = {}
    with (Path(__file__).parent / "prisons.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            kind = int(row["women"]), row["training"] == "1"
            codes[kind] = (*codes.get(kind, ()), row["code"])
    return codes


def make_prison_stays(rng: np.random.Generator, people: People, offences: Offences, arrests: Arrests) -> PrisonStays:
    """Everyone's stays, from the sentences and a share of the court cases before which people sat on remand."""
    sentenced, start, end = _terms(offences)
    held, held_from, court_day = _remands(rng, offences, arrests, sentenced, start, end)
    person = np.r_[sentenced, held]
    begin, finish = np.r_[start, held_from], np.r_[end, court_day]
    remanded = np.r_[np.zeros(len(sentenced), dtype=bool), np.ones(len(held), dtype=bool)]
    order = np.lexsort((begin, person))
    person, begin, finish, remanded = person[order], begin[order], finish[order], remanded[order]
    count = len(person)
    follows = np.r_[False, (person[1:] == person[:-1]) & (begin[1:] == finish[:-1])] if count else np.zeros(0, dtype=bool)
    unsentenced = chance(rng, rate("custody.convicted_unsentenced"), count)
    reception = np.where(remanded, np.where(unsentenced, UNSENTENCED, REMANDED), SENTENCED)
    release, sentence, days, licence = _sentences(rng, people, person, begin, finish, remanded)
    stays = PrisonStays(person, begin, finish, np.cumsum(~follows) - 1, reception, release, sentence, days, licence, np.zeros(count, dtype=bool))
    return _with_transfers(rng, stays)


def _terms(offences: Offences) -> tuple[Ints, Ints, Ints]:
    """Person, first day and day of release of every unbroken time under sentence: sentences that overlap are served together."""
    person, start, end = custody_spans(offences)
    order = np.lexsort((end, start, person))
    person, start, end = person[order], start[order], end[order]
    latest = running_latest(person, end)
    opens = np.r_[True, (person[1:] != person[:-1]) | (start[1:] > latest[:-1] + 1)][: len(person)]
    first = np.flatnonzero(opens)
    last = np.r_[first[1:], len(person)] - 1
    return person[first], start[first], latest[last]


def _remands(rng: np.random.Generator, offences: Offences, arrests: Arrests, sentenced: Ints, start: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    """Person, first day and court day of every time on remand: after the last thing the person did, and outside sentences."""
    by_code = np.where(offences.disposal == CUSTODY_CODE, rate("custody.remanded_before_custody"), rate("custody.remanded_otherwise"))
    case = np.flatnonzero((offences.disposal < FIRST_CAUTION) & chance(rng, by_code, len(offences.person)))
    length = 7 + rng.gamma(1.2, rate("custody.mean_days_on_remand") / 1.2, len(case)).astype(np.int64)
    person, court_day = offences.person[case], offences.disposal_day[case]
    deeds = np.sort(np.r_[offences.person * _DAYS + offences.day, arrests.person * _DAYS + arrests.day])
    last_deed = _latest_before(deeds, person, court_day)
    freed = _latest_before(np.sort(sentenced * _DAYS + end), person, court_day)
    begin = np.maximum(np.maximum(last_deed, freed) + 1, court_day - length)
    # Whoever serves a sentence on the court day was not brought from remand, unless it is the sentence of that day.
    inside = np.searchsorted(sentenced * _DAYS + start, person * _DAYS + court_day, side="left") - 1
    serving = (inside >= 0) & (sentenced[np.maximum(inside, 0)] == person) & (end[np.maximum(inside, 0)] >= court_day) if len(sentenced) else inside >= 0
    keep = (court_day - begin >= 5) & ~serving
    person, begin, court_day = person[keep], begin[keep], court_day[keep]
    order = np.lexsort((court_day, begin, person))
    person, begin, court_day = person[order], begin[order], court_day[order]
    # Of two cases at a time, the one that began first holds the person; the other is heard from prison.
    latest = running_latest(person, court_day)
    alone = np.r_[True, (person[1:] != person[:-1]) | (begin[1:] > latest[:-1])][: len(person)]
    return person[alone], begin[alone], court_day[alone]


def _latest_before(keys: Ints, person: Ints, day: Ints) -> Ints:
    """The latest of each person's days that lies before `day`; 0 where there is none. `keys` are sorted persons and days."""
    if len(keys) == 0:
        return np.zeros(len(person), dtype=np.int64)
    found = keys[np.maximum(np.searchsorted(keys, person * _DAYS + day, side="left") - 1, 0)]
    return np.where(found // _DAYS == person, found % _DAYS, 0)


def _sentences(rng: np.random.Generator, people: People, person: Ints, start: Ints, end: Ints, remanded: Flags) -> tuple[Ints, Ints, Ints, Ints]:
    """How each stay ends, the kind of sentence, its length in days and the end of the licence."""
    count = len(person)
    served = np.maximum(end - start, 1)
    release = choose(rng, vector("custody.releases"), count)
    died = end == people.dies[person]
    release = np.where(died, DIED, np.where(remanded, BY_COURT, release))
    sentence = np.where(served > 900, choose(rng, [0.78, 0.19, 0.03], count), 0)
    factor = np.select([release == CURFEW, release == END_OF_SENTENCE], [2.6, 1.0], 2.0)
    days = np.minimum((served * factor).astype(np.int64), LONGEST_SENTENCE)
    sentence = np.where(remanded, -1, sentence)
    on_licence = np.isin(release, (LICENCE, CURFEW, PAROLE)) & (sentence < 2)
    licence = np.where(on_licence, np.maximum(start + days, end), NEVER)
    return release, sentence, np.where(remanded | (sentence == 2), 0, days), licence


def _with_transfers(rng: np.random.Generator, stays: PrisonStays) -> PrisonStays:
    """Split a share of the longer sentenced stays in two: the second part is served in a training prison."""
    length = stays.end - stays.start
    moved = np.flatnonzero((stays.reception == SENTENCED) & (length > 40) & chance(rng, rate("custody.transferred"), len(length)))
    day = stays.start[moved] + 10 + (rng.random(len(moved)) * np.minimum(length[moved] - 20, 80)).astype(np.int64)
    columns = {name: getattr(stays, name) for name in PrisonStays.__dataclass_fields__}
    second = {name: values[moved].copy() for name, values in columns.items()}
    first = {name: values.copy() for name, values in columns.items()}
    first["end"][moved], first["release"][moved], first["licence_end"][moved] = day, TRANSFERRED_OUT, NEVER
    second["start"], second["reception"], second["training"] = day, np.full(len(moved), TRANSFERRED_IN), np.ones(len(moved), dtype=bool)
    joined = {name: np.r_[first[name], second[name]] for name in columns}
    order = np.lexsort((joined["start"], joined["person"]))
    return PrisonStays(**{name: values[order] for name, values in joined.items()})
