"""Offending as it really happened: proven offences, custody and arrests, at rates that follow dependence and treatment."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Flags, Floats, Ints, chance, choose_by_row
from warehouse.synth.people import ALCOHOL, NO_USE, NON_OPIATE, OPIATE, UNTREATED_USER, People, Period
from warehouse.synth.rates import matrix, rate, table, vector
from warehouse.synth.treatment import COMPLETED, Episodes, episode_at, running_latest

DISPOSALS = ("C01", "C02", "C03", "C04", "C05", "C06", "C09", "K01", "K02")
CUSTODY_CODE, DRUG_ORDER, FIRST_CAUTION = 0, 3, 7


@dataclass(frozen=True)
class OffenceKinds:
    """The offence codes that are drawn from, with weights by group of offender."""

    ho_class: Ints
    ho_subclass: Ints
    trigger: Flags
    weights: Floats


@dataclass(frozen=True)
class Offences:
    """Proven offences ordered by person and day. Custody days are NEVER where the disposal is another."""

    person: Ints
    day: Ints
    kind: Ints
    disposal: Ints
    disposal_day: Ints
    custody_start: Ints
    custody_end: Ints


@dataclass(frozen=True)
class Arrests:
    """Arrests ordered by person and day. Results index "PNRX"; `offence` is the row proven from the arrest, else -1."""

    person: Ints
    day: Ints
    trigger: Flags
    opiate: Ints
    cocaine: Ints
    offence: Ints


@lru_cache(maxsize=1)
def offence_kinds() -> OffenceKinds:
    """The offence codes of `offences.csv`, all of which are in the project's reference list."""
    with (Path(__file__).parent / "offences.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = ("opiate", "non_opiate", "alcohol", "other")
    return OffenceKinds(
        np.array([int(r["ho_class"]) for r in rows]),
        np.array([int(r["ho_subclass"]) for r in rows]),
        np.array([r["trigger"] == "1" for r in rows]),
        np.array([[float(r[c]) for r in rows] for c in columns]),
    )


def offence_profile(group: Ints) -> Ints:
    """Which column of offence weights a group of people follows."""
    profile = np.full(NO_USE + 1, 3, dtype=np.int64)
    profile[[OPIATE, UNTREATED_USER]] = 0
    profile[[NON_OPIATE, NON_OPIATE + 1]] = 1
    profile[ALCOHOL] = 2
    return profile[group]


def make_offences(rng: np.random.Generator, people: People, episodes: Episodes, span: Period) -> Offences:
    """Draw proven offences: a rate per person, thinned by where the person stands with treatment on the day."""
    yearly = _personal_rates(rng, people)
    peak = max(table("crime.treatment_factor").values())
    count = rng.poisson(yearly * peak * span.years)
    person = np.repeat(np.arange(people.count), count)
    day = span.start + (rng.random(len(person)) * (span.end - span.start)).astype(np.int64)
    keep = chance(rng, treatment_factor(people, episodes, person, day) / peak, len(person))
    keep &= (day < people.dies[person]) & (day >= people.born[person] + int(16 * YEAR))
    person, day = person[keep], day[keep]
    order = np.lexsort((day, person))
    offences = _outside_custody(_dispose(rng, people, person[order], day[order]))
    proven = offences.disposal_day <= people.dies[offences.person]
    return Offences(*(getattr(offences, name)[proven] for name in Offences.__dataclass_fields__))


def _personal_rates(rng: np.random.Generator, people: People) -> Floats:
    """Proven offences a year for each person at the factor 1; 0 for those who do not offend or are not known to police."""
    profile = np.minimum(people.group, NO_USE)
    offends = chance(rng, vector("crime.offender_share_by_group")[profile], people.count) & people.police
    mean = vector("crime.offences_per_year_by_group")[profile]
    return np.where(offends, rng.gamma(0.6, 1 / 0.6, people.count) * mean, 0.0)


def treatment_factor(people: People, episodes: Episodes, person: Ints, day: Ints) -> Floats:
    """What a person's rate of offending is multiplied by on a day: before, just before, in and after treatment."""
    factors = table("crime.treatment_factor")
    result = np.where(people.treated[person], factors["before"], 1.0)
    if len(episodes.person) == 0:
        return result
    row = np.maximum(episode_at(episodes, person, day), 0)
    begun = (episodes.person[row] == person) & (episodes.triage[row] <= day)
    inside = begun & (day <= running_latest(episodes.person, episodes.discharge)[row])
    completed = episodes.outcome[row] == COMPLETED
    after = np.where(completed, factors["after_completion"], factors["after_leaving"])
    following = np.minimum(np.searchsorted(episodes.person * NEVER + episodes.triage, person * NEVER + day, side="right"), len(episodes.person) - 1)
    soon = (episodes.person[following] == person) & (episodes.triage[following] - day <= 2 * YEAR) & (episodes.triage[following] > day)
    result = np.where(soon & ~begun, factors["two_years_before"], result)
    result = np.where(begun & ~inside, after, result)
    return np.where(inside, factors["in_treatment"], result)


def _dispose(rng: np.random.Generator, people: People, person: Ints, day: Ints) -> Offences:
    """Kind of offence, disposal, the days it takes, and custody."""
    count = len(person)
    group = people.group[person]
    kind = choose_by_row(rng, offence_kinds().weights, offence_profile(group))
    weights = matrix("crime.disposals")
    repeat = np.r_[False, person[1:] == person[:-1]] if count else np.zeros(0, dtype=bool)
    disposal = choose_by_row(rng, weights, repeat.astype(np.int64))
    disposal = np.where((disposal == DRUG_ORDER) & (group == NO_USE), DRUG_ORDER - 1, disposal)
    court = rng.lognormal(np.log(rate("crime.median_days_to_court")), 0.6, count)
    caution = rng.exponential(rate("crime.mean_days_to_caution"), count)
    disposal_day = day + np.where(disposal >= FIRST_CAUTION, caution, court).clip(0, 900).astype(np.int64)
    in_custody = disposal == CUSTODY_CODE
    served = rng.gamma(0.9, rate("crime.mean_days_in_custody") / 0.9, count).clip(7, 2000).astype(np.int64)
    start = np.where(in_custody, disposal_day, NEVER)
    end = np.where(in_custody, np.minimum(disposal_day + served, people.dies[person]), NEVER)
    return Offences(person, day, kind, disposal, disposal_day, start, np.maximum(end, start))


def _outside_custody(offences: Offences) -> Offences:
    """Leave out what is said to be done by somebody who sits in prison, or is sentenced after death."""
    if len(offences.person) == 0:
        return offences
    reach = NEVER * 2
    order = np.lexsort((offences.custody_start, offences.person))
    keys = offences.person[order] * reach + offences.custody_start[order]
    released = np.where(offences.custody_end[order] < NEVER, offences.custody_end[order], 0)
    latest = running_latest(offences.person[order], released)
    row = np.maximum(np.searchsorted(keys, offences.person * reach + offences.day, side="left") - 1, 0)
    inside = (offences.person[order][row] == offences.person) & (latest[row] >= offences.day) & (offences.custody_start[order][row] < offences.day)
    keep = ~inside
    return Offences(*(getattr(offences, name)[keep] for name in Offences.__dataclass_fields__))


def make_arrests(rng: np.random.Generator, people: People, offences: Offences, span: Period) -> Arrests:
    """Arrests: most proven offences began with one, and others came to nothing. Users' tests show what they use."""
    arrested = np.flatnonzero(chance(rng, rate("crime.offences_with_arrest"), len(offences.person)))
    extra = np.flatnonzero(chance(rng, rate("crime.arrests_without_proof"), len(offences.person)))
    shifted = offences.day[extra] + rng.integers(-300, 300, len(extra))
    person = np.r_[offences.person[arrested], offences.person[extra]]
    day = np.r_[offences.day[arrested] + rng.integers(0, 3, len(arrested)), shifted]
    source = np.r_[arrested, np.full(len(extra), -1)]
    trigger = offence_kinds().trigger[offences.kind[np.r_[arrested, extra]]]
    limit = np.r_[offences.disposal_day[arrested], np.full(len(extra), NEVER)]
    day = np.minimum(day, limit)
    keep = (day >= span.start) & (day < people.dies[person]) & (day <= span.end)
    person, day, source, trigger = person[keep], day[keep], source[keep], trigger[keep]
    order = np.lexsort((day, person))
    person, day, source, trigger = person[order], day[order], source[order], trigger[order]
    group = people.group[person]
    opiate = _test(rng, vector("crime.opiate_positive_by_group")[np.minimum(group, NO_USE)])
    cocaine = _test(rng, vector("crime.cocaine_positive_by_group")[np.minimum(group, NO_USE)])
    refused = chance(rng, rate("crime.test_refused"), len(person))
    untested = ~trigger | chance(rng, rate("crime.trigger_not_tested"), len(person))
    opiate, cocaine = (np.where(untested, 3, np.where(refused, 2, result)) for result in (opiate, cocaine))
    return Arrests(person, day, trigger, opiate, cocaine, source)


def _test(rng: np.random.Generator, positive: Floats) -> Ints:
    return np.where(chance(rng, positive, len(positive)), 0, 1)


def custody_spans(offences: Offences) -> tuple[Ints, Ints, Ints]:
    """Person, first day and last day of every time in custody."""
    row = np.flatnonzero(offences.custody_start < NEVER)
    return offences.person[row], offences.custody_start[row], offences.custody_end[row]
