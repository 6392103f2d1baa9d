"""Work and benefits as they really happened: a chain of states per person, turned into benefit spells and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Flags, Ints, chance, choose_by_row, day_number
from warehouse.synth.people import NO_USE, OPIATE, UNTREATED_USER, People, Period
from warehouse.synth.rates import rate, table
from warehouse.synth.treatment import COMPLETED, Episodes, episode_at

STATES = ("work", "seeking", "unwell", "low_paid_work", "preparing", "neither")
WORK, SEEKING, UNWELL, LOW_PAID, PREPARING, NEITHER = range(6)
PROFILES = ("general", "opiate", "other_user", "recovered")
BENEFITS = ("UC", "ESA", "IS", "JSA", "PIP", "DLA", "HB")
UC, ESA, IS, JSA, PIP, DLA, HB = range(7)
# The first day each could be paid, where it is not older than anyone's claim (recalled).
FIRST_PAID = {UC: date(2013, 4, 29), ESA: date(2008, 10, 27), PIP: date(2013, 4, 8)}
CONDITIONS = ("S", "P", "N", "W", "K")
NO_CONDITION = -1
REASONS = ("W", "C", "S", "T", "P", "D")
FOUND_WORK, CLOSED, SANCTIONED, MOVED_BENEFIT, ENTERED_CUSTODY, CLAIMANT_DIED = range(6)
PENSION_AGE = 66
LONGEST_CHAIN = 60
MIGRATION = (day_number(date(2023, 4, 1)), day_number(date(2026, 3, 31)))  # legacy benefits were moved to Universal Credit between


@dataclass(frozen=True)
class Spells:
    """Spells of one kind ordered by person and day; `end` is NEVER while open, the last day else. `reason` -1 is none."""

    person: Ints
    start: Ints
    end: Ints
    benefit: Ints
    condition: Ints
    reason: Ints


@dataclass(frozen=True)
class States:
    """The chain of states: one row a stay, `following` the state after it, -1 after the last."""

    person: Ints
    start: Ints
    end: Ints
    state: Ints
    following: Ints


def make_states(rng: np.random.Generator, people: People, episodes: Episodes, span: Period) -> States:
    """Follow everyone known to the benefits department from state to state until death, pension age or the end."""
    last = np.minimum(np.minimum(people.dies, people.born + int(PENSION_AGE * YEAR)), NEVER)
    person = np.flatnonzero(people.benefits & (last > span.start))
    rows = table("income.states")
    first = np.array([[rows[p]["first"][s] for s in STATES] for p in PROFILES])
    days = np.array([[rows[p]["mean_days"][s] for s in STATES] for p in PROFILES], dtype=np.float64)
    moves = np.array([[[rows[p]["next"][s].get(t, 0.0) for t in STATES] for s in STATES] for p in PROFILES])
    state = choose_by_row(rng, first, _profile(people, episodes, person, np.full(len(person), span.start)))
    elapsed = (rng.exponential(1.0, len(person)) * days[_base_profile(people, person), state]).astype(np.int64)
    newcomer = chance(rng, rate("income.first_claim_in_history"), len(person))
    arrives = span.start + (rng.random(len(person)) * (span.end - span.start)).astype(np.int64)
    begin = np.maximum(np.where(newcomer, arrives, span.start - elapsed), people.adult_on()[person])
    earliest = begin.copy()
    parts: list[tuple[Ints, Ints, Ints, Ints, Ints]] = []
    for _ in range(LONGEST_CHAIN):
        profile = _profile(people, episodes, person, begin)
        stay = (rng.gamma(0.9, 1 / 0.9, len(person)) * days[profile, state]).clip(10, 9000).astype(np.int64)
        # The first stay is under way when history starts, unless the person is new to the department.
        end = np.maximum(begin, np.where(begin == earliest, span.start, 0)) + stay
        following = choose_by_row(rng, moves.reshape(-1, len(STATES)), profile * len(STATES) + state)
        parts.append((person, begin, end, state, following))
        going = (end < span.end) & (end < last[person])
        person, begin, state, earliest = person[going], end[going] + 1, following[going], np.full(int(going.sum()), -1)
    person, begin, end, state, following = (np.concatenate(column) for column in zip(*parts, strict=True))
    keep = (begin < last[person]) & (begin <= span.end)
    person, begin, end, state, following = (column[keep] for column in (person, begin, end, state, following))
    end = np.minimum(end, last[person])
    order = np.lexsort((begin, person))
    return States(person[order], begin[order], np.where(end > span.end, NEVER, end)[order], state[order], following[order])


def _base_profile(people: People, person: Ints) -> Ints:
    group = people.group[person]
    return np.where(group == NO_USE, 0, np.where((group == OPIATE) | (group == UNTREATED_USER), 1, 2))


def _profile(people: People, episodes: Episodes, person: Ints, day: Ints) -> Ints:
    """Which row of the state tables a person follows from a day on: completing treatment changes it."""
    profile = _base_profile(people, person)
    if len(episodes.person) == 0:
        return profile
    row = np.maximum(episode_at(episodes, person, day), 0)
    recovered = (episodes.person[row] == person) & (episodes.outcome[row] == COMPLETED) & (episodes.discharge[row] <= day)
    return np.where(recovered, 3, profile)


def make_benefit_spells(rng: np.random.Generator, people: People, states: States, custody: tuple[Ints, Ints, Ints], span: Period) -> Spells:
    """Benefit spells: Universal Credit or the benefit it replaced, with disability and housing benefits beside it."""
    claims = np.flatnonzero((states.state != WORK) & (states.state != NEITHER))
    person, start, end, state = states.person[claims], states.start[claims], states.end[claims], states.state[claims]
    reason = _end_reason(rng, states.following[claims], state)
    legacy_share = np.select([state == UNWELL, state == PREPARING], [rate("income.legacy_esa"), rate("income.legacy_is")], 0.0)
    legacy = chance(rng, legacy_share, len(claims)) & (start < MIGRATION[0])
    migrated = (MIGRATION[0] + rng.random(people.count) * (MIGRATION[1] - MIGRATION[0])).astype(np.int64)[person]
    benefit = np.select([legacy & (state == UNWELL), legacy], [ESA, IS], UC)
    benefit = np.where((state == SEEKING) & chance(rng, rate("income.new_style_jsa"), len(claims)), JSA, benefit)
    condition = np.select([state == SEEKING, state == PREPARING, state == UNWELL], [0, 1, 2], 3)
    condition = np.where((state == LOW_PAID) & chance(rng, 0.3, len(claims)), 4, condition)
    crosses = legacy & (end > migrated)
    # A legacy spell that lasts to the migration is cut there and goes on as Universal Credit.
    first_end, first_reason = np.where(crosses, migrated - 1, end), np.where(crosses, MOVED_BENEFIT, reason)
    parts = [
        (person, start, first_end, benefit, np.where(benefit == UC, condition, NO_CONDITION), first_reason),
        tuple(column[crosses] for column in (person, migrated, end, np.full_like(benefit, UC), condition, reason)),
        _housing_benefit(rng, person, start, end, migrated, legacy),
        _disability(rng, people, states, span),
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    first_paid = np.full(len(BENEFITS), -NEVER, dtype=np.int64)
    first_paid[list(FIRST_PAID)] = [day_number(day) for day in FIRST_PAID.values()]
    row, begin, finish, cut = outside_spans(columns[0], np.maximum(columns[1], first_paid[columns[3]]), columns[2], custody)
    person, benefit, condition, reason = (columns[i][row] for i in (0, 3, 4, 5))
    reason = np.where(cut, ENTERED_CUSTODY, reason)
    return _until_death(people, person, begin, finish, benefit, condition, reason)


def _end_reason(rng: np.random.Generator, following: Ints, state: Ints) -> Ints:
    closed = np.where(chance(rng, 0.15, len(state)) & (state == SEEKING), SANCTIONED, CLOSED)
    return np.select([following == WORK, following == NEITHER], [FOUND_WORK, closed], -1)


def _housing_benefit(rng: np.random.Generator, person: Ints, start: Ints, end: Ints, migrated: Ints, legacy: Flags) -> tuple[Ints, ...]:
    row = np.flatnonzero(legacy & chance(rng, rate("income.housing_benefit_with_legacy"), len(person)))
    cut = np.minimum(end[row], migrated[row] - 1)
    reason = np.where(end[row] < migrated[row], CLOSED, MOVED_BENEFIT)
    return person[row], start[row], cut, np.full(len(row), HB), np.full(len(row), NO_CONDITION), reason


def _disability(rng: np.random.Generator, people: People, states: States, span: Period) -> tuple[Ints, ...]:
    """Personal Independence Payment (or the allowance before it) for a share of the long-term unwell, one spell each."""
    unwell = states.state == UNWELL
    person, first = np.unique(states.person[unwell], return_index=True)
    start = states.start[unwell][first] + rng.integers(20, 400, len(person))
    taken = np.flatnonzero(chance(rng, rate("income.disability_among_unwell"), len(person)) & (start <= span.end))
    person, start = person[taken], start[taken]
    length = np.where(chance(rng, 0.75, len(person)), NEVER, rng.integers(400, 2200, len(person)))
    end = np.where(start + length > span.end, NEVER, start + length)
    old = (people.born[person] < day_number(date(1965, 1, 1))) & chance(rng, 0.3, len(person))
    return person, start, end, np.where(old, DLA, PIP), np.full(len(person), NO_CONDITION), np.full(len(person), CLOSED)


def _until_death(people: People, person: Ints, start: Ints, end: Ints, benefit: Ints, condition: Ints, reason: Ints) -> Spells:
    dies = people.dies[person]
    keep = (start < dies) & (start <= end)
    person, start, end, benefit, condition, reason, dies = (c[keep] for c in (person, start, end, benefit, condition, reason, dies))
    died = (end >= dies) & (dies < NEVER)
    end, reason = np.where(died, dies, end), np.where(died, CLAIMANT_DIED, reason)
    order = np.lexsort((start, benefit, person))
    return Spells(*(c[order] for c in (person, start, end, benefit, condition, np.where(end < NEVER, reason, -1))))


def make_jobs(rng: np.random.Generator, people: People, states: States, custody: tuple[Ints, Ints, Ints]) -> Spells:
    """Jobs: each stay in work is one job or several, one after the other."""
    row = np.flatnonzero((states.state == WORK) | (states.state == LOW_PAID))
    person, start, end = states.person[row], states.start[row], states.end[row]
    known_end = np.where(end < NEVER, end, start.max(initial=0) + 400)
    extra = rng.poisson(np.maximum(known_end - start, 0) / rate("income.mean_days_in_job"))
    repeat = np.repeat(np.arange(len(row)), extra + 1)
    place = start[repeat] + (rng.random(len(repeat)) * np.maximum(known_end - start, 1)[repeat]).astype(np.int64)
    first = np.r_[True, repeat[1:] != repeat[:-1]] if len(repeat) else np.zeros(0, dtype=bool)
    place = np.where(first, start[repeat], place)
    order = np.lexsort((place, repeat))
    repeat, place = repeat[order], place[order]
    next_place = np.r_[place[1:], 0]
    last = np.r_[repeat[1:] != repeat[:-1], True] if len(repeat) else np.zeros(0, dtype=bool)
    finish = np.where(last, end[repeat], next_place - 1)
    keep = finish >= place
    repeat, place, finish = repeat[keep], place[keep], finish[keep]
    index, begin, finish, _ = outside_spans(person[repeat], place, finish, custody)
    who = person[repeat][index]
    none = np.full(len(who), -1, dtype=np.int64)
    return _until_death(people, who, begin, finish, none, none, none)


def outside_spans(person: Ints, start: Ints, end: Ints, spans: tuple[Ints, Ints, Ints]) -> tuple[Ints, Ints, Ints, Flags]:
    """Cut the days of the given spans out of spells.

    Args:
        spans: person, first and last day of each span.

    Returns:
        The row each piece comes from, its first and last day, and whether a span ended it.
    """
    who, begin, until = spans
    order = np.lexsort((begin, who))
    who, begin, until = who[order], begin[order], until[order]
    row = np.arange(len(person))
    if len(who) == 0:
        return row, start, end, np.zeros(len(row), dtype=bool)
    keys = who * NEVER + begin
    done: list[tuple[Ints, Ints, Ints, Flags]] = []
    for _ in range(6):
        place = np.searchsorted(keys, person[row] * NEVER + start, side="left")
        before = np.maximum(place - 1, 0)
        covers = (place > 0) & (who[before] == person[row]) & (until[before] >= start)
        start = np.where(covers, until[before] + 1, start)
        place = np.minimum(np.searchsorted(keys, person[row] * NEVER + start, side="left"), len(who) - 1)
        cut = (who[place] == person[row]) & (begin[place] >= start) & (begin[place] <= end)
        piece_end = np.where(cut, begin[place] - 1, end)
        whole = piece_end >= start
        done.append((row[whole], start[whole], piece_end[whole], cut[whole]))
        row, start, end = row[cut], until[place][cut] + 1, end[cut]
        if len(row) == 0:
            break
    pieces = [np.concatenate(column) for column in zip(*done, strict=True)]
    return pieces[0].astype(np.int64), pieces[1], pieces[2], pieces[3].astype(bool)
