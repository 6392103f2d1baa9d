"""The benefits extract: claimants, benefit spells and employment spells."""

from __future__ import annotations

import numpy as np

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, YEAR, Ints, Text, blank, calendar, chance, date_texts, either, following, from_calendar, join, numbers, pick
from warehouse.synth.identity import Identity, corrections, identify, national_insurance
from warehouse.synth.ids import hashed, scrambled
from warehouse.synth.income import BENEFITS, CONDITIONS, REASONS, Spells
from warehouse.synth.names import NameTables
from warehouse.synth.nights import Cells, Rows, known
from warehouse.synth.people import People, Period
from warehouse.synth.rates import rate

ISO = "YYYY-MM-DD"
SLOTS = 2


def build_benefits(
    rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, spells: Spells, jobs: Spells, span: Period
) -> dict[str, Rows]:
    """The rows of the three benefits tables. Spells of a person with two claimant records go to the first of them."""
    person = np.flatnonzero(people.benefits)
    first_event = np.full(people.count, NEVER)
    np.minimum.at(first_event, spells.person, spells.start)
    np.minimum.at(first_event, jobs.person, jobs.start)
    quiet = span.start - (rng.exponential(5.0, people.count) * YEAR).astype(np.int64)
    made = np.where(first_event < NEVER, first_event, np.maximum(quiet, people.born + int(18 * YEAR)))[person]
    made = np.minimum(made, np.maximum(people.dies[person] - 1, span.start))
    again = chance(rng, rate("identifiers.duplicate_claimants"), len(person))
    who = np.r_[person, person[again]]
    duplicate = np.r_[np.zeros(len(person), dtype=np.int64), np.ones(int(again.sum()), dtype=np.int64)]
    made = np.r_[made, made[again] + rng.integers(100, 2000, int(again.sum()))]
    order = np.lexsort((duplicate, who))
    who, duplicate, made = who[order], duplicate[order], made[order]
    night = known(made, rng.integers(0, 6, len(who)), span.first_night)
    number = scrambled(people.person_id[who] * SLOTS + duplicate, 2)
    fixed = corrections(rng, span.first_night, len(who))
    identity = identify(rng, people, names, "benefits", who, made, fixed)
    first = np.searchsorted(who, np.arange(people.count))
    return {
        "claimants": _claimant_rows(rng, people, names, addresses, who, made, night, number, identity, span),
        "benefit_spells": _spell_rows(rng, first[spells.person], night, number, spells, span, True),
        "employment_spells": _spell_rows(rng, first[jobs.person], night, number, jobs, span, False),
    }


def _claimant_rows(
    rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses,
    who: Ints, made: Ints, night_made: Ints, number: Ints, identity: Identity, span: Period,
) -> Rows:  # fmt: skip
    """Claimants with the address they last told the department of: a move is told late, or not at all."""
    count = len(who)
    nino = national_insurance(rng, people, "benefits", who)
    told = ~chance(rng, rate("benefits.move_not_told"), len(addresses.person))
    delay = rng.exponential(rate("benefits.mean_days_to_tell"), len(addresses.person)).astype(np.int64)
    learnt = np.where(told, known(addresses.start, delay, span.first_night), NEVER)
    opening = addresses.at(who, made)
    # Each move after the record was made, as (claimant, address, night learnt), in the order in which moves happened.
    claimant, move = _later_moves(addresses, who, opening, learnt)
    moves = _move_nights(count, claimant, learnt[move])
    has_former = (people.married_on[who] < NEVER) & chance(rng, rate("identifiers.previous_surname_held"), count)
    named_before = people.surname[who] != people.surname_at(who, made)

    def cells(rows: Ints, night: int) -> Cells:
        here, before = _address_on(rows, night, count, opening, claimant, move, learnt)
        written = identity.at(rows, night)
        person = who[rows]
        return {
            "CLAIMANT_ID": join("C", numbers(number[rows])),
            "NINO": nino.take(rows),
            "FORENAME": written.forename,
            "SURNAME": written.surname,
            "PREVIOUS_SURNAME": blank(names.surnames.take(people.surname[person]), ~(has_former & named_before)[rows]),
            "DOB": date_texts(written.born, ISO),
            "SEX": pick(["M", "F"], identity.sex[rows]),
            "ADDRESS_LINE": addresses.lines(here),
            "POSTCODE": blank(addresses.postcodes(here), hashed(number[rows]) % 1000 < 15),
            "PREVIOUS_POSTCODE": blank(addresses.postcodes(np.maximum(before, 0)), before < 0),
            "LAD_CODE": addresses.area_codes(here),
        }

    return Rows(night_made, cells, [identity.corrected_on, *moves], None, (people.person_id[who], lambda rows: join("C", numbers(number[rows]))))


def _later_moves(addresses: Addresses, who: Ints, opening: Ints, learnt: Ints) -> tuple[Ints, Ints]:
    """The moves a claimant's record can learn of: claimant and address row, by claimant and night learnt."""
    last = np.searchsorted(addresses.person, who, side="right")
    later = np.maximum(last - opening - 1, 0)
    claimant = np.repeat(np.arange(len(who)), later)
    within = np.arange(later.sum()) - np.repeat(np.cumsum(later) - later, later)
    move = opening[claimant] + 1 + within
    usable = learnt[move] < NEVER
    return claimant[usable], move[usable]


def _move_nights(count: int, claimant: Ints, learnt: Ints) -> list[Ints]:
    """The nights on which each claimant's address changes, as one array for the first move, one for the second ..."""
    place = np.arange(len(claimant)) - np.searchsorted(claimant, claimant)
    nights = []
    for turn in range(int(place.max(initial=-1)) + 1):
        night = np.full(count, NEVER)
        night[claimant[place == turn]] = learnt[place == turn]
        nights.append(night)
    return nights


def _address_on(rows: Ints, night: int, count: int, opening: Ints, claimant: Ints, move: Ints, learnt: Ints) -> tuple[Ints, Ints]:
    """The address a record shows on a night and the one it showed before (-1 for none): the latest move learnt by then."""
    heard = learnt[move] <= night
    here, before = opening.copy(), np.full(count, -1)
    latest = np.full(count, -1)
    np.maximum.at(latest, claimant[heard], move[heard])
    second = np.full(count, -1)
    earlier = heard & (move < latest[claimant])
    np.maximum.at(second, claimant[earlier], move[earlier])
    moved = latest >= 0
    here[moved] = latest[moved]
    before[moved] = np.where(second[moved] >= 0, second[moved], opening[moved])
    return here[rows], before[rows]


def _spell_rows(rng: np.random.Generator, claimant: Ints, night_made: Ints, number: Ints, spells: Spells, span: Period, benefits: bool) -> Rows:
    """Spells of benefit or work. Ends are learnt later than they happen; some starts are corrected to an earlier day.

    Args:
        benefits: benefit spells with type, conditionality and reason; else jobs, some with ends set to the tax year's.
    """
    count = len(claimant)
    first_known = np.maximum(known(spells.start, rng.integers(1, 20 if benefits else 45, count), span.first_night), night_made[claimant])
    late = chance(rng, rate("nights.registered_late"), count) & (spells.start > span.first_night - 90)
    first_known = np.where(late, first_known + rng.integers(5, 60, count), first_known)
    end, defaulted = spells.end, np.zeros(count, dtype=bool)
    if not benefits:
        defaulted = chance(rng, rate("benefits.job_end_defaulted"), count) & (end < NEVER)
        end = np.where(defaulted, tax_year_end(np.where(end < NEVER, end, 0)), end)
    end_known = np.where(end < NEVER, np.maximum(end + rng.integers(1, 30, count), first_known), NEVER)
    if benefits:
        # At the latest when the next spell on the same benefit is entered.
        end_known = np.maximum(np.minimum(end_known, following(first_known, spells.person, spells.benefit)), first_known)
    fixed = np.where(chance(rng, 0.6, count), corrections(rng, span.first_night, count), NEVER)
    shift = np.clip(rng.integers(1, 4, count), 0, np.minimum(np.minimum(end, first_known) - spells.start, 1000))
    prefix = "B" if benefits else "E"
    serial = scrambled(np.arange(count) + 1, 3) % 1_000_000_000

    def cells(rows: Ints, night: int) -> Cells:
        ended = end_known[rows] <= night
        wrong = np.where(fixed[rows] > night, shift[rows], 0)
        common: Cells = {
            "CLAIMANT_ID": join("C", numbers(number[claimant[rows]])),
            "SPELL_ID": join(prefix, numbers(serial[rows])),
            "START_DATE": date_texts(spells.start[rows] + wrong, ISO),
            "END_DATE": date_texts(np.where(ended, end[rows], NEVER), ISO),
        }
        return common | (_benefit_cells(spells, rows, ended) if benefits else {"END_DATE_QUALITY": _quality(defaulted[rows], ended)})

    return Rows(first_known, cells, [end_known, np.where(shift > 0, fixed, NEVER)])


def _benefit_cells(spells: Spells, rows: Ints, ended: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Cells:
    condition, reason = spells.condition[rows], spells.reason[rows]
    return {
        "BENEFIT_TYPE": pick(BENEFITS, spells.benefit[rows]),
        "CONDITIONALITY": pick(CONDITIONS, np.maximum(condition, 0), condition < 0),
        "END_REASON": pick(REASONS, np.maximum(reason, 0), (reason < 0) | ~ended),
    }


def _quality(defaulted: np.ndarray[tuple[int], np.dtype[np.bool_]], ended: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Text:
    return blank(either(defaulted, "D", "R"), ~ended)


def tax_year_end(day: Ints) -> Ints:
    """The 5 April on or after each day."""
    year = calendar(day)[0]
    this = from_calendar(year, np.full(len(day), 4), np.full(len(day), 5))
    following = from_calendar(year + 1, np.full(len(day), 4), np.full(len(day), 5))
    return np.where(day <= this, this, following)
