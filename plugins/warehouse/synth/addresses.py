"""Where people live over time: one row per person and address, with the sector, postcode unit, house and street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Flags, Ints, Text, chance, choose, either, join, numbers, order_within, pick
from warehouse.synth.geography import SECTORS_PER_DISTRICT, UNITS, Country
from warehouse.synth.people import ALONE, PARENT, People, Period
from warehouse.synth.rates import rate, vector

_DAY_SPAN = 2**20  # more than any day number, so that person * _DAY_SPAN + day sorts by person, then day


@dataclass(frozen=True)
class Addresses:
    """Every address of a chunk, ordered by person and day. `start` is the first day there, `end` the day of leaving."""

    country: Country
    person: Ints
    start: Ints
    end: Ints
    area: Ints
    sector: Ints
    unit: Ints
    house: Ints
    flat: Ints
    street: Ints

    def at(self, person: Ints, day: Ints) -> Ints:
        """The row of the address where each person lives on a day; the first one for a day before it."""
        keys = self.person * _DAY_SPAN + self.start
        found = np.searchsorted(keys, person * _DAY_SPAN + day, side="right") - 1
        first = np.searchsorted(self.person, person)
        return np.maximum(found, first)

    def before(self, row: Ints) -> tuple[Ints, Flags]:
        """The row of the address before, and whether there is one."""
        earlier = np.maximum(row - 1, 0)
        return earlier, (row > 0) & (self.person[earlier] == self.person[row])

    def postcodes(self, row: Ints) -> Text:
        return self.country.postcodes(self.sector[row], self.unit[row])

    def sectors(self, row: Ints) -> Text:
        return self.country.sector_texts(self.sector[row])

    def area_codes(self, row: Ints) -> Text:
        return self.country.area_codes(self.area[row])

    def lines(self, row: Ints) -> Text:
        """House and street, such as "14 Victoria Road" or "Flat 2, 14 Victoria Road"."""
        street = join(numbers(self.house[row]), pick(self.country.streets, self.street[row]), sep=" ")
        flat = self.flat[row]
        named = join("Flat ", numbers(flat), ", ", street)
        return either(flat > 0, named, street)


def make_addresses(rng: np.random.Generator, people: People, country: Country, span: Period) -> Addresses:
    """Draw everyone's addresses: the one at the start of history, which families share, and one more for each move."""
    rates = np.where(people.group < 5, vector("population.moves_by_group")[np.minimum(people.group, 4)], rate("population.moves_per_year"))
    moves = rng.poisson(rates * span.years)
    total = int(moves.sum())
    mover = np.repeat(np.arange(people.count), moves)
    moved_on = span.start + (rng.random(total) * (span.end - span.start)).astype(np.int64)
    stays = moved_on < people.dies[mover]
    mover, moved_on = mover[stays], moved_on[stays]
    area = np.where(chance(rng, rate("population.move_within_area"), len(mover)), people.area[mover], choose(rng, country.weights, len(mover)))
    since = span.start - (rng.exponential(4.0, people.count) * YEAR).astype(np.int64) - 1
    first = _homes(rng, country, country.sectors_in(rng, people.area))
    first = {name: _share_with_family(people, values) for name, values in first.items()}
    # Most short moves stay in the postcode district, that is among the sectors next to the first home's.
    near = (area == people.area[mover]) & chance(rng, rate("population.move_within_district"), len(mover))
    district = country.first_sector[area] + (first["sector"][mover] - country.first_sector[people.area[mover]]) // SECTORS_PER_DISTRICT * SECTORS_PER_DISTRICT
    last_sector = country.first_sector[area] + country.sector_count[area] - 1
    neighbour = np.minimum(district + rng.integers(0, SECTORS_PER_DISTRICT, len(mover)), last_sector)
    later = _homes(rng, country, np.where(near, neighbour, country.sectors_in(rng, area)))
    person = np.r_[np.arange(people.count), mover]
    start = np.r_[since, moved_on]
    order = np.lexsort((start, person))
    columns = {name: np.r_[first[name], later[name]][order] for name in first}
    person, start = person[order], start[order]
    start = np.maximum.accumulate(person * _DAY_SPAN + start + order_within(person)) - person * _DAY_SPAN  # two moves on one day become two days
    end = np.where(np.r_[person[1:] == person[:-1], False], np.r_[start[1:], 0], NEVER)
    return Addresses(country, person, start, end, np.r_[people.area, area][order], **columns)


def _homes(rng: np.random.Generator, country: Country, sector: Ints) -> dict[str, Ints]:
    count = len(sector)
    unit = rng.integers(0, len(UNITS), count)
    # A unit lies in one street; which one follows from sector and unit.
    street = (sector * 7919 + unit * 104_729) % len(country.streets)
    house = rng.integers(1, 120, count)
    flat = np.where(chance(rng, rate("population.flats"), count), rng.integers(1, 13, count), 0)
    return {"sector": sector, "unit": unit, "house": house, "flat": flat, "street": street}


def _share_with_family(people: People, values: Ints) -> Ints:
    """Couples live together; siblings, twins, parents and children do where the house number of the first is odd enough."""
    kind = people.relation[1::2]
    together = (kind != ALONE) & ((kind < PARENT) | (np.arange(len(kind)) % 2 == 0)) & ((kind == 1) | (np.arange(len(kind)) % 5 < 3))
    shared = values.copy()
    shared[1::2] = np.where(together, values[0::2], values[1::2])
    return shared
