"""Treatment episodes as providers record them: provider, client id, identity, referral, substances and interventions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, YEAR, Flags, Ints, chance, choose, choose_by_row, rank_within
from warehouse.synth.identity import Identity, corrections, identify
from warehouse.synth.ids import hashed
from warehouse.synth.names import NameTables
from warehouse.synth.people import ALCOHOL, NON_OPIATE, NON_OPIATE_ALCOHOL, OPIATE, People, Period
from warehouse.synth.rates import matrix, rate, table
from warehouse.synth.treatment import COMPLETED, CUSTODY, DECLINED, DIED, DROPPED_OUT, TRANSFERRED, WITHDRAWN, Episodes

PROVIDERS_PER_PARTNERSHIP = 3  # drugs, alcohol, inpatient
NO_SECOND, NO_THIRD = 9996, 9997
PHARMACOLOGICAL, PSYCHOSOCIAL, RECOVERY = 94, 95, 96
START, REVIEW, EXIT = range(3)


@dataclass(frozen=True)
class Records:
    """What providers hold of each episode, and of the client records (`client` indexes them) that episodes belong to."""

    provider: Ints
    client: Ints
    client_person: Ints
    client_provider: Ints
    client_number: Ints
    client_consents: Flags
    identity: Identity
    address: Ints
    referral: Ints
    source: Ints
    drugs: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    reason: Ints
    registered: Ints
    discharge_known: Ints
    withdrawn: Ints
    fixed: Ints


@dataclass(frozen=True)
class Interventions:
    """Modalities, by episode. `start` is NEVER where the client left before it began."""

    episode: Ints
    kind: Ints
    referred: Ints
    offered: Ints
    start: Ints
    end: Ints
    number: Ints


@dataclass(frozen=True)
class Forms:
    """Reviews of a modality (sub-intervention reviews) or TOP interviews of an episode: `parent` is that row."""

    parent: Ints
    day: Ints
    stage: Ints
    number: Ints


def make_records(rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, episodes: Episodes, span: Period) -> Records:
    """Draw what providers record about episodes."""
    count = len(episodes.person)
    address = addresses.at(episodes.person, episodes.triage)
    provider = _providers(rng, addresses, episodes, address)
    fresh = chance(rng, rate("identifiers.new_client_id"), count) * episodes.journey
    key = (episodes.person * 4096 + provider) * 64 + np.minimum(fresh, 63)
    _, first, client = np.unique(key, return_index=True, return_inverse=True)
    client_person, client_provider = episodes.person[first], provider[first]
    fixed = corrections(rng, span.first_night, len(first))
    identity = identify(rng, people, names, "treatment", client_person, episodes.triage[first], fixed)
    client_number = hashed(people.person_id[client_person], client_provider, fresh[first])
    registered = np.maximum(episodes.triage + rng.integers(0, 8, count), span.first_night)
    told = episodes.discharge + rng.integers(0, 12, count)
    discharge_known = np.where(episodes.discharge < NEVER, np.maximum(told, registered), NEVER)
    withdrawn = np.where(chance(rng, 0.02, count), corrections(rng, span.first_night, count) + 1, NEVER)
    referral = np.maximum(episodes.triage - rng.geometric(0.12, count).clip(0, 90) + 1, people.born[episodes.person] + int(18 * YEAR) - 30)
    return Records(
        provider, client, client_person, client_provider, client_number, ~chance(rng, rate("treatment.consent_withheld"), len(first)), identity, address,
        np.minimum(referral, episodes.triage), choose_by_row(rng, matrix("treatment.referral_sources"), episodes.group),
        _drugs(rng, people, episodes), _reasons(rng, episodes), registered, discharge_known, withdrawn, corrections(rng, span.first_night, count),
    )  # fmt: skip


def _providers(rng: np.random.Generator, addresses: Addresses, episodes: Episodes, address: Ints) -> Ints:
    """The provider of each episode: one of the partnership where the client lives then."""
    partnerships = sorted({a.partnership for a in addresses.country.areas})
    of_area = np.array([partnerships.index(a.partnership) for a in addresses.country.areas])
    kind = np.where(episodes.group == ALCOHOL, 1, 0)
    kind = np.where(chance(rng, rate("treatment.other_provider"), len(kind)), 1 - kind, kind)
    kind = np.where(episodes.side == 1, 2, kind)
    return of_area[addresses.area[address]] * PROVIDERS_PER_PARTNERSHIP + kind


def provider_codes(count: int) -> list[str]:
    """Codes such as N0852 for the first `count` providers."""
    return [f"N{(number * 7919 + 852) % 9973:04d}" for number in range(count)]


def _drugs(rng: np.random.Generator, people: People, episodes: Episodes) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The three problem substances of each episode; a person's main one stays the same."""
    count = len(episodes.person)
    rows: dict[str, dict[int, float]] = table("treatment.substances")
    mains = np.zeros(people.count, dtype=np.int64)
    for number, name in enumerate(("opiate", "non_opiate", "non_opiate_alcohol", "alcohol")):
        member = np.flatnonzero(people.group == number)
        mains[member] = np.array(list(rows[name]))[choose(rng, list(rows[name].values()), len(member))]
    first = mains[episodes.person]
    seconds = np.array(list(rows["second"]))[choose(rng, list(rows["second"].values()), count)]
    thirds = np.array(list(rows["third"]))[choose(rng, list(rows["third"].values()), count)]
    group = episodes.group
    drinks = group == NON_OPIATE_ALCOHOL
    # Alcohol-only clients name no other drug, non-opiate-only clients no alcohol: that is what makes the groups.
    second = np.where(drinks, 7000, np.where(group == ALCOHOL, NO_SECOND, seconds))
    second = np.where((group == NON_OPIATE) & ((second == 7000) | (second < 2000)), 5000, second)
    second = np.where(second == first, NO_SECOND, second)
    third = np.where((second == NO_SECOND) | (group != OPIATE), NO_THIRD, thirds)
    third = np.where((third == first) | (third == second), NO_THIRD, third)
    return np.stack([first, second, third], axis=1)


def _reasons(rng: np.random.Generator, episodes: Episodes) -> Ints:
    """The discharge reason code that says what happened."""
    count = len(episodes.person)
    occasional = chance(rng, rate("treatment.completed_occasional_user"), count) & (episodes.group != OPIATE)
    free = np.where(episodes.group == ALCOHOL, 81, 80)
    completed = np.where(occasional, 82, free)
    conditions = [episodes.outcome == o for o in (COMPLETED, DROPPED_OUT, TRANSFERRED, CUSTODY, WITHDRAWN, DECLINED, DIED)]
    custody = np.where(chance(rng, 0.5, count), 84, 87)
    reason = np.select(conditions, [completed, 85, 83, custody, 86, 88, 89], 0)
    # A side stay ends by going back to the main provider.
    return np.where((episodes.side == 1) & (reason != 89), 83, reason)


def make_interventions(rng: np.random.Generator, episodes: Episodes, records: Records) -> Interventions:
    """Modalities of each episode: which ones, the wait for each, and when it ended."""
    kinds = np.array([PHARMACOLOGICAL, PSYCHOSOCIAL, RECOVERY])
    shares = matrix("treatment.modalities_by_group")
    given = rng.random((len(episodes.person), 3)) < shares[episodes.group]
    given[:, 0] |= episodes.side == 1
    given[:, 1] |= ~given.any(axis=1)
    given &= ~((episodes.side == 1)[:, None] & (np.arange(3) > 0)[None, :])
    episode, column = np.nonzero(given)
    count = len(episode)
    delay = np.where(column == 2, rng.integers(10, 60, count), rng.integers(0, 4, count))
    referred = episodes.triage[episode] + delay
    quick = chance(rng, rate("treatment.started_within_3_weeks"), count)
    wait = np.where(quick, np.minimum(rng.geometric(0.2, count) - 1, 20), rng.integers(22, 70, count))
    start = referred + wait
    left = episodes.discharge[episode]
    begun = start <= left
    planned = np.minimum(left, start + np.where(column == 0, NEVER, rng.integers(60, 900, count)))
    keep = referred <= left
    number = rank_within(np.bincount(episode[keep], minlength=len(episodes.person)))
    offered = np.maximum(start - rng.integers(0, 3, count), referred)
    start, end = np.where(begun, start, NEVER), np.where(begun, planned, NEVER)
    episode, kind, referred, offered, start, end = (c[keep] for c in (episode, kinds[column], referred, offered, start, end))
    return Interventions(episode, kind, referred, offered, start, end, number)


def make_reviews(rng: np.random.Generator, episodes: Episodes, modalities: Interventions) -> Forms:
    """Sub-intervention reviews: one when the modality starts and then about every six months."""
    return _series(rng, np.arange(len(modalities.episode)), modalities.start, modalities.end, 182, 1.0)


def make_interviews(rng: np.random.Generator, episodes: Episodes) -> Forms:
    """TOP interviews: at the start, at reviews every three to six months, and on leaving; not all are done."""
    main = np.flatnonzero(episodes.side == 0)
    held = main[chance(rng, rate("treatment.top_at_start"), len(main))]
    start_day = episodes.triage[held] + rng.integers(0, 14, len(held))
    reviews = _series(rng, main, episodes.triage[main] + 90, episodes.discharge[main] - 14, 120, rate("treatment.top_review_done"))
    leaving = main[episodes.discharge[main] < NEVER]
    completed = episodes.outcome[leaving] == COMPLETED
    shares = np.where(completed, rate("treatment.top_at_planned_exit"), rate("treatment.top_at_unplanned_exit"))
    leaving = leaving[chance(rng, shares, len(leaving)) & (episodes.outcome[leaving] != DIED)]
    leaving_day = episodes.discharge[leaving] - rng.integers(0, 10, len(leaving))
    parent = np.r_[held, reviews.parent, leaving]
    day = np.r_[start_day, reviews.day, np.maximum(leaving_day, episodes.triage[leaving])]
    stage = np.repeat([START, REVIEW, EXIT], [len(held), len(reviews.parent), len(leaving)])
    keep = day <= episodes.discharge[parent]
    parent, day, stage = parent[keep], day[keep], stage[keep]
    order = np.lexsort((stage, day, parent))
    parent, day, stage = parent[order], day[order], stage[order]
    return Forms(parent, day, stage, rank_within(np.bincount(parent, minlength=len(episodes.person))))


def _series(rng: np.random.Generator, parent: Ints, start: Ints, end: Ints, every: int, done: float) -> Forms:
    """Days from `start` on, `every` so many days give or take a month, until `end` or the twentieth."""
    usable = np.flatnonzero((start < NEVER) & (end >= start))
    length = np.minimum(end[usable], start[usable] + 20 * every) - start[usable]
    times = 1 + length // every
    of = np.repeat(usable, times)
    turn = rank_within(times)
    day = start[of] + turn * every + np.where(turn > 0, rng.integers(-25, 26, len(of)), 0)
    keep = (day <= end[of]) & (chance(rng, done, len(of)) | (done >= 1.0))
    of, day = of[keep], day[keep]
    number = rank_within(np.bincount(of, minlength=len(parent)))
    return Forms(parent[of], day, np.full(len(of), REVIEW), number)
