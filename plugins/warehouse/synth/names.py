"""Names with the skew of real ones: forenames by sex, origin and birth cohort, surnames by origin, nicknames and spellings.

The lists are the project's own, in `names/`: order is rank. Frequencies fall with rank by a shifted Zipf law.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from warehouse.synth.arrays import Floats, Ints, Text, pick

COHORTS = ("old", "mid", "young")
COHORT_STARTS = (1958, 1982)  # first birth years of the cohorts mid and young
ORIGINS = ("british", "european", "muslim", "indian", "african", "chinese", "arabic")
# Exponent and shift of the Zipf law: the first British surname then holds 1.1 %, the first forename of a cohort about 3 %.
SURNAME_LAW = {"british": (0.85, 10.0), "other": (0.8, 3.0)}
FORENAME_LAW = (0.8, 6.0)


@dataclass(frozen=True)
class Pool:
    """Names to draw from: indices into the name table, with cumulative weights."""

    index: Ints
    edges: Floats

    def draw(self, rng: np.random.Generator, size: int) -> Ints:
        """Indices drawn by weight."""
        place = np.searchsorted(self.edges, rng.random(size) * self.edges[-1], side="right")
        drawn: Ints = self.index[np.minimum(place, len(self.index) - 1)]
        return drawn


@dataclass(frozen=True)
class Variants:
    """For each name, the other forms it is known by: `count` of them from `first` on in `form`."""

    first: Ints
    count: Ints
    form: Ints

    def has(self, name: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether there is another form."""
        return self.count[name] > 0

    def draw(self, rng: np.random.Generator, name: Ints) -> Ints:
        """Another form of each name, or the name itself where there is none. Earlier forms are likelier."""
        count = self.count[name]
        place = self.first[name] + np.floor(rng.random(len(name)) ** 1.7 * count).astype(np.int64)
        return np.where(count > 0, self.form[np.minimum(place, max(len(self.form) - 1, 0))], name)


@dataclass(frozen=True)
class NameTables:
    """All forenames and surnames, the pools they are drawn from and their other forms."""

    forenames: Text
    surnames: Text
    forename_pools: dict[tuple[int, int, int], Pool]
    surname_pools: dict[int, Pool]
    nicknames: Variants
    spellings: Variants

    def draw_forenames(self, rng: np.random.Generator, sex: Ints, origin: Ints, birth_year: Ints) -> Ints:
        """A forename for each person: sex 0 male, 1 female; origin indexes ORIGINS."""
        cohort = np.searchsorted(COHORT_STARTS, birth_year, side="right")
        drawn = np.zeros(len(sex), dtype=np.int64)
        for (a_sex, an_origin, a_cohort), pool in self.forename_pools.items():
            where = np.flatnonzero((sex == a_sex) & (origin == an_origin) & ((cohort == a_cohort) | (an_origin > 0)))
            drawn[where] = pool.draw(rng, len(where))
        return drawn

    def draw_surnames(self, rng: np.random.Generator, origin: Ints) -> Ints:
        """A surname for each person."""
        drawn = np.zeros(len(origin), dtype=np.int64)
        for an_origin, pool in self.surname_pools.items():
            where = np.flatnonzero(origin == an_origin)
            drawn[where] = pool.draw(rng, len(where))
        return drawn


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / "names" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _pool(index: list[int], ranks: list[int], law: tuple[float, float]) -> Pool:
    exponent, shift = law
    weights = 1.0 / (np.array(ranks, dtype=np.float64) + shift) ** exponent
    return Pool(np.array(index, dtype=np.int64), np.cumsum(weights))


def _variants(names: dict[str, int], pairs: list[tuple[str, str]]) -> Variants:
    forms: dict[int, list[int]] = {}
    for name, form in pairs:
        if name in names:
            forms.setdefault(names[name], []).append(names[form])
    count = np.zeros(len(names), dtype=np.int64)
    count[list(forms)] = [len(f) for f in forms.values()]
    ordered = [form for name in sorted(forms) for form in forms[name]]
    return Variants(np.cumsum(count) - count, count, np.array(ordered, dtype=np.int64))


@lru_cache(maxsize=1)
def name_tables() -> NameTables:
    """The name tables of the project."""
    forename_rows, surname_rows = _rows("forenames"), _rows("surnames")
    nicknames = [(r["forename"], r["nickname"]) for r in _rows("nicknames")]
    spellings = [(r["surname"], r["spelling"]) for r in _rows("surname_spellings")]
    forenames = {name: i for i, name in enumerate(dict.fromkeys([r["forename"] for r in forename_rows] + [n for _, n in nicknames]))}
    surnames = {name: i for i, name in enumerate(dict.fromkeys([r["surname"] for r in surname_rows] + [s for _, s in spellings]))}
    forename_pools = {}
    for sex in ("M", "F"):
        for origin in ORIGINS:
            for cohort in COHORTS if origin == "british" else ("any",):
                rows = [r for r in forename_rows if (r["sex"], r["origin"], r["cohort"]) == (sex, origin, cohort)]
                key = ("MF".index(sex), ORIGINS.index(origin), COHORTS.index(cohort) if cohort in COHORTS else 0)
                forename_pools[key] = _pool([forenames[r["forename"]] for r in rows], [int(r["rank"]) for r in rows], FORENAME_LAW)
    surname_pools = {}
    for number, origin in enumerate(ORIGINS):
        rows = [r for r in surname_rows if r["origin"] == origin]
        law = SURNAME_LAW["british" if origin == "british" else "other"]
        surname_pools[number] = _pool([surnames[r["surname"]] for r in rows], [int(r["rank"]) for r in rows], law)
    return NameTables(
        pick(list(forenames), np.arange(len(forenames))),
        pick(list(surnames), np.arange(len(surnames))),
        forename_pools,
        surname_pools,
        _variants(forenames, nicknames),
        _variants(surnames, spellings),
    )
