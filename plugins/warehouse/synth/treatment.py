"""Treatment as it really happened: episodes with their providers, reasons for leaving, relapse, return and death.

One row of `Episodes` is one person's stay with one provider. A journey is a run of episodes with no more than
JOURNEY_GAP days between leaving one and being assessed for the next (domain notes, section 1.9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Ints, chance, choose_by_row
from warehouse.synth.people import UNTREATED_USER, People, Period
from warehouse.synth.rates import matrix, rate, table, vector

JOURNEY_GAP = 21
LONGEST_BEFORE = int(12 * YEAR)  # nobody's first journey starts more than this before history does
OUTCOMES = ("completed", "dropped_out", "transferred", "custody", "withdrawn", "declined", "other")
COMPLETED, DROPPED_OUT, TRANSFERRED, CUSTODY, WITHDRAWN, DECLINED, OTHER, DIED, STILL_IN = range(9)
MOST_EPISODES = 12


@dataclass(frozen=True)
class Episodes:
    """Episodes ordered by person and triage. `discharge` is NEVER where the episode is open when the simulation ends.

    `outcome` is one of the constants above; `journey` numbers journeys within a person from 1; `side` marks a short stay
    with a second provider during another episode.
    """

    person: Ints
    group: Ints
    triage: Ints
    discharge: Ints
    outcome: Ints
    journey: Ints
    side: Ints


def make_deaths(rng: np.random.Generator, people: People, span: Period, entry: Ints) -> Ints:
    """The day each person dies, NEVER if later than the simulation. Nobody dies before history starts or before `entry`."""
    age = (span.first_night - people.born) / YEAR
    yearly = rate("population.death_at_40") * np.exp(rate("population.death_age_growth") * (age - 40))
    by_group = vector("treatment.death_per_year_by_group")
    yearly = np.where(people.group <= UNTREATED_USER, by_group[np.minimum(people.group, UNTREATED_USER)], yearly)
    since = np.maximum(span.start, np.where(entry < NEVER, entry, span.start))
    day = since + (rng.exponential(1.0, people.count) / yearly * YEAR).clip(1, NEVER / 2).astype(np.int64)
    return np.where(day > span.end, NEVER, day)


def first_entries(rng: np.random.Generator, people: People, span: Period) -> tuple[Ints, Ints, Ints, Ints]:
    """The people treated, and triage, length and outcome of their first episode, which touches the period."""
    person = np.flatnonzero(people.treated)
    length, outcome = _stay(rng, people.group[person])
    earliest = np.maximum(span.start - np.minimum(length, LONGEST_BEFORE), people.adult_on()[person])
    triage = earliest + (rng.random(len(person)) * np.maximum(span.end - earliest, 1)).astype(np.int64)
    return person, triage, length, outcome


def make_episodes(rng: np.random.Generator, people: People, span: Period, first: tuple[Ints, Ints, Ints, Ints]) -> Episodes:
    """Follow everyone treated from the first entry through leaving and coming back, until death or the end."""
    person, triage, length, outcome = first
    parts: list[tuple[Ints, Ints, Ints, Ints]] = []
    for _ in range(MOST_EPISODES):
        end = triage + length
        parts.append((person, triage, end, outcome))
        gap = _gap(rng, people.group[person], outcome)
        again = end + gap
        back = (again < span.end) & (again < people.dies[person])
        person, triage = person[back], again[back]
        length, outcome = _stay(rng, people.group[person])
    person, triage, end, outcome = (np.concatenate(column) for column in zip(*parts, strict=True))
    side = np.zeros(len(person), dtype=np.int64)
    person, triage, end, outcome, side = _with_side_stays(rng, person, triage, end, outcome, side)
    keep = (triage < people.dies[person]) & (end >= span.start) & (triage <= span.end)
    person, triage, end, outcome, side = (column[keep] for column in (person, triage, end, outcome, side))
    died = end >= people.dies[person]
    end = np.where(died, people.dies[person], end)
    outcome = np.where(died, DIED, outcome)
    still_in = end > span.end
    outcome = np.where(still_in, STILL_IN, outcome)
    discharge = np.where(still_in, NEVER, end)
    order = np.lexsort((side, triage, person))
    person, triage, discharge, outcome, side = (column[order] for column in (person, triage, discharge, outcome, side))
    return Episodes(person, people.group[person], triage, discharge, outcome, _journeys(person, triage, discharge), side)


def _stay(rng: np.random.Generator, group: Ints) -> tuple[Ints, Ints]:
    """Length in days and outcome of an episode."""
    outcomes = matrix("treatment.outcomes_by_group")
    outcome = choose_by_row(rng, outcomes, group)
    factor = vector("treatment.length_factor_by_outcome")
    mean = vector("treatment.mean_days_by_group")
    length = rng.gamma(1.3, 1 / 1.3, len(group)) * mean[group] * factor[outcome]
    return np.clip(length, 3, 15 * YEAR).astype(np.int64), outcome


def _gap(rng: np.random.Generator, group: Ints, outcome: Ints) -> Ints:
    """Days from leaving to the next triage, or NEVER."""
    count = len(group)
    returns = np.array([[row[f"year_{year}"] for year in (1, 2, 3)] for row in table("treatment.return_after").values()])
    kind = np.where(outcome == COMPLETED, 0, 1)
    # Opiate users come back more often than the average that the rates give, others less.
    weight = vector("treatment.return_weight_by_group")[group]
    cumulative = np.cumsum(returns[kind] * weight[:, None], axis=1)
    drawn = rng.random(count)
    year = (drawn[:, None] > cumulative).sum(axis=1)
    within = rng.random(count) ** np.where(year == 0, 1.25, 1.0)
    gap = np.where(year < 3, JOURNEY_GAP + 1 + ((year + within) * (YEAR - 8)).astype(np.int64), NEVER)
    onward = (outcome == TRANSFERRED) & chance(rng, rate("treatment.transfer_arrives"), count)
    gap = np.where(onward, rng.integers(0, JOURNEY_GAP + 1, count), gap)
    return np.minimum(gap, NEVER // 2)


def _with_side_stays(rng: np.random.Generator, *columns: Ints) -> tuple[Ints, ...]:
    """Add short stays with a second (inpatient) provider in the middle of some long episodes."""
    person, triage, end, _, _ = columns
    chosen = np.flatnonzero((end - triage > 120) & chance(rng, rate("treatment.side_stay"), len(person)))
    begin = triage[chosen] + (rng.random(len(chosen)) * (end[chosen] - triage[chosen] - 60)).astype(np.int64)
    stay = rng.integers(10, 40, len(chosen))
    added = (person[chosen], begin, begin + stay, np.full(len(chosen), COMPLETED), np.ones(len(chosen), dtype=np.int64))
    return tuple(np.r_[old, new] for old, new in zip(columns, added, strict=True))


def _journeys(person: Ints, triage: Ints, discharge: Ints) -> Ints:
    """Journey number of each episode: a new one when more than JOURNEY_GAP days lie between all earlier episodes and this one."""
    latest = running_latest(person, discharge)
    same = np.r_[False, person[1:] == person[:-1]]
    starts = ~same | (triage > np.r_[0, latest[:-1]] + JOURNEY_GAP)
    total = np.cumsum(starts)
    first_of_person = np.maximum.accumulate(np.where(~same, np.arange(len(person)), 0)) if len(person) else total
    return total - total[first_of_person] + 1 if len(person) else total


def running_latest(person: Ints, day: Ints) -> Ints:
    """The latest day so far within each person; persons are sorted."""
    step = NEVER * 2
    return np.maximum.accumulate(person * step + day) - person * step


def episode_at(episodes: Episodes, person: Ints, day: Ints) -> Ints:
    """The row of the last episode begun by a person on or before a day; -1 where there is none of anybody before it."""
    keys = episodes.person * NEVER + episodes.triage
    return np.searchsorted(keys, person * NEVER + day, side="right") - 1
