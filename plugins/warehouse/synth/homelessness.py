"""Homelessness as it really happened: applications, duties, temporary accommodation, and stays with support services."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, Flags, Ints, chance, choose, choose_by_row, following
from warehouse.synth.people import COUPLE, NO_USE, People, Period
from warehouse.synth.rates import matrix, rate, vector

DECISIONS = ("P", "R", "N")
DUTIES = ("P", "R", "M")
DUTY_ENDS = ("SEC", "D56", "CON", "WDR", "REF", "INT", "NEL", "OTH")
SECURED, ELAPSED, CONTACT_LOST, WITHDRAWN = range(4)
NEEDS = ("DRG", "ALC", "OFF", "RSL", "RHM", "MEN", "PHY", "DOM", "LRN", "YNG", "CRE", "FRM", "OTH")
TA_TYPES = ("BB", "NS", "HO", "PS", "LA", "RF", "OT")
ACCOMMODATION = tuple(str(n) for n in range(1, 13))
LOSS_REASONS = tuple(str(n) for n in range(1, 10))
SERVICES = ("SH", "SL", "RF", "FO", "DA", "FL", "OU", "RS")


@dataclass(frozen=True)
class Cases:
    """Homelessness applications by main applicant and day. `partner` is -1 where none applies with the applicant."""

    person: Ints
    day: Ints
    area: Ints
    address: Ints
    decision: Ints
    accommodation: Ints
    loss: Ints
    partner: Ints
    children: Ints


@dataclass(frozen=True)
class Duties:
    """Duties owed, by case. `end` is NEVER while the duty lasts; `secured` the accommodation at the end, -1 for none."""

    case: Ints
    duty: Ints
    start: Ints
    end: Ints
    reason: Ints
    secured: Ints


@dataclass(frozen=True)
class Stays:
    """Stays in temporary accommodation, by case."""

    case: Ints
    kind: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True)
class Services:
    """Stays with housing-related support services, by person."""

    person: Ints
    address: Ints
    area: Ints
    client_group: Ints
    service: Ints
    start: Ints
    end: Ints
    planned: Flags
    need: Flags
    achieved: Flags


def make_clients(rng: np.random.Generator, people: People) -> tuple[Ints, Ints]:
    """Of the people known to housing, those who apply as homeless and those who use support services; some do both."""
    applies = chance(rng, rate("housing.members_with_application"), people.count)
    also = ~applies | chance(rng, rate("housing.applicants_with_service"), people.count)
    return np.flatnonzero(people.housing & applies), np.flatnonzero(people.housing & also)


def make_cases(rng: np.random.Generator, people: People, addresses: Addresses, span: Period, member: Ints) -> Cases:
    """Homelessness applications of `member`; dependent people apply more than once more often."""
    again = np.where(people.group[member] < NO_USE, rate("housing.repeat_applications_users"), rate("housing.repeat_applications"))
    person = np.repeat(member, 1 + rng.poisson(again))
    day = span.start + (rng.random(len(person)) * (span.end - span.start)).astype(np.int64)
    keep = (day < people.dies[person]) & (day >= people.adult_on()[person])
    person, day = person[keep], day[keep]
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    count = len(person)
    address = addresses.at(person, day)
    decision = choose(rng, vector("housing.decisions"), count)
    dependent = (people.group[person] < NO_USE).astype(np.int64)
    accommodation = choose_by_row(rng, matrix("housing.accommodation_at_application"), dependent)
    other = person ^ 1
    couple = (people.relation[person] == COUPLE) & (people.dies[other] > day) & chance(rng, rate("housing.partner_applies"), count)
    children = np.where(chance(rng, rate("housing.with_children"), count), rng.integers(1, 4, count), 0)
    return Cases(
        person, day, addresses.area[address], address, decision, accommodation, choose(rng, vector("housing.loss_reasons"), count),
        np.where(couple, other, -1), children,
    )  # fmt: skip


def make_needs(rng: np.random.Generator, people: People, cases: Cases) -> tuple[Ints, Ints]:
    """Case and need of every support need recorded. Drug and alcohol needs follow the applicant's dependence."""
    chances = matrix("housing.needs_by_group")
    drawn = rng.random((len(cases.person), len(NEEDS))) < chances[np.minimum(people.group[cases.person], NO_USE)]
    case, need = np.nonzero(drawn)
    return case.astype(np.int64), need.astype(np.int64)


def make_duties(rng: np.random.Generator, people: People, cases: Cases, span: Period) -> Duties:
    """Prevention, relief and main duties in turn: the next one follows where the one before did not secure a home."""
    case = np.flatnonzero(cases.decision < 2)
    duty = cases.decision[case]
    start = cases.day[case] + rng.integers(0, 10, len(case))
    ends = matrix("housing.duty_ends")
    days = vector("housing.duty_mean_days")
    parts: list[tuple[Ints, ...]] = []
    while len(case):
        end = start + (rng.gamma(1.5, 1 / 1.5, len(case)) * days[duty]).clip(1, 1500).astype(np.int64)
        reason = choose_by_row(rng, ends, duty)
        dies = people.dies[cases.person[case]]
        reason = np.where(end >= dies, WITHDRAWN, reason)
        end = np.minimum(end, dies)
        secured = np.where(reason == SECURED, choose(rng, vector("housing.accommodation_secured"), len(case)), -1)
        parts.append((case, duty, start, end, reason, secured))
        onward = (reason == ELAPSED) & (duty < 2) & chance(rng, vector("housing.next_duty")[np.minimum(duty, 1)], len(case)) & (end < span.end)
        case, duty, start = case[onward], duty[onward] + 1, end[onward] + 1
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0, dtype=np.int64)] * 6
    order = np.lexsort((columns[1], columns[0]))
    case, duty, start, end, reason, secured = (c[order] for c in columns)
    is_open = end > span.end
    return Duties(case, duty, start, np.where(is_open, NEVER, end), np.where(is_open, -1, reason), np.where(is_open, -1, secured))


def make_stays(rng: np.random.Generator, people: People, cases: Cases, duties: Duties, span: Period) -> Stays:
    """Temporary accommodation during relief and main duties: one or two stays each, one after the other."""
    eligible = np.flatnonzero((duties.duty > 0) & chance(rng, rate("housing.temporary_accommodation"), len(duties.case)))
    first = duties.start[eligible] + rng.integers(0, 8, len(eligible))
    length = rng.gamma(1.2, rate("housing.temporary_mean_days") / 1.2, len(eligible)).clip(1, 1200).astype(np.int64)
    second = chance(rng, 0.25, len(eligible))
    case = np.r_[duties.case[eligible], duties.case[eligible[second]]]
    start = np.r_[first, (first + length)[second]]
    later = rng.gamma(1.2, rate("housing.temporary_mean_days") / 1.2, int(second.sum())).clip(1, 1200).astype(np.int64)
    end = np.r_[first + length, (first + length)[second] + later]
    dies = people.dies[cases.person[case]]
    keep = start < dies
    case, start, end, dies = case[keep], start[keep], end[keep], dies[keep]
    end = np.minimum(end, dies)
    kind = choose(rng, vector("housing.temporary_types"), len(case))
    order = np.lexsort((start, case))
    case, kind, start, end = case[order], kind[order], start[order], end[order]
    # A household leaves one place for the next: the stay of an earlier duty ends where that of a later one starts.
    end = np.minimum(end, following(start, case))
    return Stays(case, kind, start, np.where(end > span.end, NEVER, end))


def make_services(rng: np.random.Generator, people: People, addresses: Addresses, span: Period, member: Ints) -> Services:
    """Stays of `member` with support services."""
    person = np.repeat(member, 1 + rng.poisson(0.3, len(member)))
    start = span.start + (rng.random(len(person)) * (span.end - span.start)).astype(np.int64)
    keep = (start < people.dies[person]) & (start >= people.adult_on()[person])
    person, start = person[keep], start[keep]
    order = np.lexsort((start, person))
    person, start = person[order], start[order]
    count = len(person)
    end = start + rng.gamma(1.2, rate("housing.service_mean_days") / 1.2, count).clip(3, 800).astype(np.int64)
    dies = people.dies[person]
    planned = chance(rng, rate("housing.planned_exit"), count) & (end < dies)
    need = chance(rng, rate("housing.settled_need"), count)
    achieved = need & chance(rng, np.where(planned, rate("housing.settled_achieved_planned"), rate("housing.settled_achieved_unplanned")), count)
    end = np.minimum(end, dies)
    address = addresses.at(person, start)
    groups = matrix("housing.client_groups")
    return Services(
        person, address, addresses.area[address], choose_by_row(rng, groups, np.minimum(people.group[person], NO_USE)),
        choose(rng, vector("housing.services"), count), start, np.where(end > span.end, NEVER, end), planned, need, achieved,
    )  # fmt: skip
