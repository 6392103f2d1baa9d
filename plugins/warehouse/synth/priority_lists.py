"""Who was on a local scheme's list of prolific and other priority offenders, and when.

Schemes name people for what they have been proven to have done lately, and not all who did as much. Being on the list changes
nothing: offences were drawn before. So whatever seems to follow a nomination here is the mark of being chosen at a bad time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Ints, chance, choose, order_within
from warehouse.synth.crime import Offences
from warehouse.synth.people import People
from warehouse.synth.rates import rate, vector

STRANDS = ("C", "R", "P")
REMOVALS = ("REDUCED", "SENTENCE", "MOVED", "OTHER", "DIED")
PREVENT, DIED = 2, 4
LOOKBACK = int(2 * YEAR)


@dataclass(frozen=True)
class Nominations:
    """Times on a list, ordered by person and day. `removed` is NEVER for those still on it; `number` counts a person's from 1."""

    person: Ints
    number: Ints
    nominated: Ints
    removed: Ints
    strand: Ints
    removal: Ints


def make_nominations(rng: np.random.Generator, people: People, offences: Offences) -> Nominations:
    """A time on the list for a share of those with enough proven offences in two years, some weeks after the last of these was proven."""
    proven = offences.disposal_day
    order = np.lexsort((proven, offences.person))
    person, day = offences.person[order], proven[order]
    # Offences proven in the two years up to each one, itself included.
    keys = person * NEVER + day
    earlier = np.arange(len(day)) - np.searchsorted(keys, np.maximum(keys - LOOKBACK, person * NEVER), side="left") + 1
    named = (earlier >= rate("priority_offenders.offences_in_two_years")) & chance(rng, rate("priority_offenders.named"), len(day))
    nominated = day + 7 + rng.integers(0, 60, len(day))
    stay = rng.gamma(1.5, rate("priority_offenders.mean_days_listed") / 1.5, len(day)).clip(28, None).astype(np.int64)
    chosen = np.flatnonzero(named & (nominated < people.dies[person]))
    person, nominated = person[chosen], nominated[chosen]
    removed = np.minimum(nominated + stay[chosen], people.dies[person])
    keep = _apart(person, nominated, removed)
    person, nominated, removed = person[keep], nominated[keep], removed[keep]
    count = len(person)
    young = nominated - people.born[person] < 20 * YEAR
    strand = np.where(young, PREVENT, choose(rng, vector("priority_offenders.strands"), count))
    removal = np.where(removed == people.dies[person], DIED, choose(rng, vector("priority_offenders.removals"), count))
    return Nominations(person, order_within(person) + 1, nominated, removed, strand, removal)


def _apart(person: Ints, nominated: Ints, removed: Ints) -> Ints:
    """The rows of nominations that fall in no earlier time on the list; a few hundred, so they may be looked at one by one."""
    keep: list[int] = []
    for row in range(len(person)):
        last = keep[-1] if keep else -1
        if last < 0 or person[last] != person[row] or removed[last] < nominated[row]:
            keep.append(row)
    return np.array(keep, dtype=np.int64)
