"""How people died and when it was registered.

Deaths that go to an inquest, among them nearly all drug poisonings, are registered only after it; some are registered
while it is adjourned, under a placeholder for the cause, and amended when it ends.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from warehouse.synth.arrays import NEVER, Flags, Floats, Ints, chance, choose, choose_by_row
from warehouse.synth.crime import offence_profile
from warehouse.synth.people import People
from warehouse.synth.prison_stays import DIED, PrisonStays
from warehouse.synth.rates import rate, vector

KINDS = ("poisoning", "alcohol", "external", "natural")
POISONING, ALCOHOL, EXTERNAL, NATURAL = range(4)
CERTIFICATES = ("D", "P", "I", "A")
BY_DOCTOR, BY_CORONER, AFTER_INQUEST, INQUEST_ADJOURNED = range(4)
PLACES = ("1", "2", "3", "4", "5", "6", "7")
IN_PRISON = 4
UNKNOWN_CAUSE = "R99"


@dataclass(frozen=True)
class Causes:
    """The causes of `causes_of_death.csv`: underlying code, codes mentioned, kind, and weights by group of person."""

    underlying: tuple[str, ...]
    mentioned: tuple[tuple[str, ...], ...]
    kind: Ints
    weights: Floats


@dataclass(frozen=True)
class Deaths:
    """Deaths ordered by person. `registered` is the day of registration, `amended` the day the inquest ended of a death that
    was registered before (NEVER for others); `certificate` is the last one, `cause` a row of `causes`."""

    person: Ints
    day: Ints
    cause: Ints
    certificate: Ints
    place: Ints
    registered: Ints
    amended: Ints


@lru_cache(maxsize=1)
def causes() -> Causes:
    """The causes to draw from."""
    with (Path(__file__).parent / "causes_of_death.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return Causes(
        tuple(r["underlying"] for r in rows),
        tuple(tuple(r["mentioned"].split()) for r in rows),
        np.array([KINDS.index(r["kind"]) for r in rows]),
        np.array([[float(r[column]) for r in rows] for column in ("opiate", "non_opiate", "alcohol", "other")]),
    )


def make_registered_deaths(rng: np.random.Generator, people: People, stays: PrisonStays) -> Deaths:
    """Cause, certificate, place and registration of every death of the simulation."""
    person = np.flatnonzero(people.dies < NEVER)
    count = len(person)
    day = people.dies[person]
    # Groups of people have their causes as they have their offences: those who use opiates alike, treated or not.
    cause = choose_by_row(rng, causes().weights, offence_profile(people.group[person]))
    kind = causes().kind[cause]
    inquest = chance(rng, vector("deaths.inquest_by_kind")[kind], count)
    coroner = chance(rng, rate("deaths.coroner_without_inquest"), count)
    certificate = np.select([inquest, coroner], [AFTER_INQUEST, BY_CORONER], BY_DOCTOR)
    ordinary = 1 + rng.gamma(1.6, rate("deaths.mean_days_to_register") / 1.6, count)
    after_inquest = np.maximum(rng.lognormal(np.log(rate("deaths.median_days_to_inquest")), rate("deaths.spread_of_inquests"), count), 6)
    ended = day + np.where(inquest, after_inquest, np.where(coroner, ordinary + 5, ordinary)).astype(np.int64)
    adjourned = inquest & chance(rng, rate("deaths.registered_before_inquest"), count) & (ended - day > 60)
    early = day + 10 + (rng.random(count) * 40).astype(np.int64)
    place = np.where(died_in_prison(people, stays)[person], IN_PRISON, choose(rng, vector("deaths.places"), count))
    return Deaths(person, day, cause, certificate, place, np.where(adjourned, early, ended), np.where(adjourned, ended, NEVER))


def died_in_prison(people: People, stays: PrisonStays) -> Flags:
    """Whose last stay in prison ended with their death."""
    inside = np.zeros(people.count, dtype=bool)
    inside[stays.person[stays.release == DIED]] = True
    return inside
