"""The people: sex, birth, origin, names, family, dependence and which agencies know them.

People come in chunks so that memory stays bounded; a chunk is drawn from its own seed. Neighbours in a chunk (0 and 1,
2 and 3 ...) may be a family: couples, siblings, twins, a parent and child, who share surname, address or day of birth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Flags, Floats, Ints, calendar, chance, choose, choose_by_row, day_number
from warehouse.synth.geography import Country
from warehouse.synth.names import ORIGINS, NameTables
from warehouse.synth.rates import rate, table, vector

HISTORY_YEARS = 6
HORIZON_NIGHTS = 183
ETHNIC_CODES = tuple("ABCDEFGHJKLMNPRSZ")
OPIATE, NON_OPIATE, NON_OPIATE_ALCOHOL, ALCOHOL, UNTREATED_USER, NO_USE = range(6)
GROUP_NAMES = ("opiate", "non-opiate only", "non-opiate and alcohol", "alcohol only", "untreated drug user", "none")
ALONE, COUPLE, SIBLINGS, TWINS, PARENT = range(5)
MIDDLE_AGE = 36.0  # the age that a squeezed population gathers round: the commonest among people in treatment


@dataclass(frozen=True)
class Period:
    """The days that are simulated: `start` of history, `first_night`, and `end`, the last night that can be asked for."""

    start: int
    first_night: int
    end: int

    @property
    def years(self) -> float:
        return (self.end - self.start) / YEAR


def period(first_night: date) -> Period:
    """Six years of history before the first night, and the nights that may follow it."""
    last = day_number(first_night)
    start = day_number(first_night.replace(year=first_night.year - HISTORY_YEARS, day=min(first_night.day, 28)))
    return Period(start, last, last + HORIZON_NIGHTS)


@dataclass
class People:
    """One chunk of people. Arrays have one element a person; `dies` is filled in when treatment is known.

    `married_surname` holds the surname from `married_on` on; the birth surname stays in `surname`.
    """

    first_id: int
    sex: Ints
    born: Ints
    ethnic: Ints
    origin: Ints
    forename: Ints
    middle: Ints
    surname: Ints
    married_on: Ints
    married_surname: Ints
    area: Ints
    relation: Ints
    group: Ints
    police: Flags
    benefits: Flags
    housing: Flags
    dies: Ints

    @property
    def count(self) -> int:
        return len(self.sex)

    @property
    def person_id(self) -> Ints:
        return self.first_id + np.arange(self.count, dtype=np.int64)

    @property
    def treated(self) -> Flags:
        return self.group < UNTREATED_USER

    def adult_on(self) -> Ints:
        """The eighteenth birthday, near enough for whole years of 365.25 days."""
        return self.born + int(18 * YEAR)

    def surname_at(self, person: Ints, day: Ints) -> Ints:
        """The surname borne on a day."""
        return np.where(self.married_on[person] <= day, self.married_surname[person], self.surname[person])


def make_people(rng: np.random.Generator, names: NameTables, country: Country, span: Period, first_id: int, count: int, density: float) -> People:
    """Draw one chunk of people.

    Args:
        density: how many times the people per day of birth are raised: birth dates are squeezed towards one age by it.
    """
    sex = chance(rng, 0.507, count).astype(np.int64)
    ages = _ages(rng, count, density)
    born = (span.first_night - ages * YEAR).astype(np.int64)
    area = choose(rng, country.weights, count)
    relation = _relations(rng, count, density)
    ethnic = choose(rng, vector("population.ethnic"), count)
    _pair_up(rng, relation, sex, born, area, ethnic)
    origin = _origins(rng, ethnic)
    origin[1::2] = np.where(relation[1::2] >= SIBLINGS, origin[0::2], origin[1::2])
    years = calendar(born)[0]
    forename = names.draw_forenames(rng, sex, origin, years)
    middle = np.where(chance(rng, rate("population.middle_name"), count), names.draw_forenames(rng, sex, origin, years), -1)
    surname = names.draw_surnames(rng, origin)
    alike = (relation[1::2] == PARENT) & (sex[1::2] == sex[0::2]) & chance(rng, rate("population.parents_named_alike"), count // 2)
    forename[1::2] = np.where(alike, forename[0::2], forename[1::2])
    surname[1::2] = np.where(relation[1::2] >= SIBLINGS, surname[0::2], surname[1::2])
    _name_twins_apart(rng, names, relation, sex, origin, years, forename)
    married_on, married_surname = _marriages(rng, names, relation, sex, born, origin, surname)
    group = _groups(rng, sex, (span.first_night - born) / YEAR, density)
    police, benefits, housing = _memberships(rng, group)
    return People(
        first_id, sex, born, ethnic, origin, forename, middle, surname, married_on, married_surname, area, relation, group,
        police, benefits, housing, np.full(count, NEVER, dtype=np.int64),
    )  # fmt: skip


def _ages(rng: np.random.Generator, count: int, density: float) -> Floats:
    """Ages at the first night: even from 18 to 62, thinning out to 80; gathered round MIDDLE_AGE by the density."""
    young = 18 + rng.random(count) * 44
    old = 62 + 18 * (1 - np.sqrt(rng.random(count)))
    ages = np.where(chance(rng, 0.83, count), young, old)
    squeezed: Floats = MIDDLE_AGE + (ages - MIDDLE_AGE) / max(density, 1.0)
    return squeezed


def _relations(rng: np.random.Generator, count: int, density: float) -> Ints:
    """The relation of each pair of neighbours, given to both. A squeezed population has no room for parents of adults."""
    shares = vector("population.family")
    if density > 1.5:
        shares[ALONE], shares[PARENT] = shares[ALONE] + shares[PARENT], 0
    return np.repeat(choose(rng, shares, count // 2), 2)


def _pair_up(rng: np.random.Generator, relation: Ints, sex: Ints, born: Ints, area: Ints, ethnic: Ints) -> None:
    """Make the second of each related pair fit the first, in place."""
    kind, first, second = relation[1::2], slice(0, None, 2), slice(1, None, 2)
    half = len(kind)
    sex[second] = np.where(kind == COUPLE, 1 - sex[first], sex[second])
    twin_sex = np.where(chance(rng, 0.65, half), sex[first], 1 - sex[first])
    sex[second] = np.where(kind == TWINS, twin_sex, sex[second])
    born[second] = np.where(kind == TWINS, born[first], born[second])
    older = born[second] - ((20 + rng.random(half) * 18) * YEAR).astype(np.int64)
    born[first] = np.where(kind == PARENT, np.maximum(older, born[second] - int(61 * YEAR)), born[first])
    area[second] = np.where(kind != ALONE, area[first], area[second])
    ethnic[second] = np.where(kind >= SIBLINGS, ethnic[first], ethnic[second])


def _origins(rng: np.random.Generator, ethnic: Ints) -> Ints:
    """Where a person's names come from, given the ethnic group."""
    shares = table("population.name_origin")
    weights = np.array([[shares[code].get(origin, 0.0) for origin in ORIGINS] for code in ETHNIC_CODES])
    return choose_by_row(rng, weights, ethnic)


def _name_twins_apart(rng: np.random.Generator, names: NameTables, relation: Ints, sex: Ints, origin: Ints, years: Ints, forename: Ints) -> None:
    """Twins and siblings bear different forenames: redraw those that came out the same, in place."""
    for _ in range(6):
        same = (relation[1::2] == TWINS) | (relation[1::2] == SIBLINGS)
        again = 1 + 2 * np.flatnonzero(same & (forename[0::2] == forename[1::2]))
        forename[again] = names.draw_forenames(rng, sex[again], origin[again], years[again])


def _marriages(rng: np.random.Generator, names: NameTables, relation: Ints, sex: Ints, born: Ints, origin: Ints, surname: Ints) -> tuple[Ints, Ints]:
    """The day from which a married woman bears another surname, and that surname; NEVER and the birth surname for others."""
    count = len(sex)
    wed = born + ((21 + rng.gamma(3.0, 3.5, count)) * YEAR).astype(np.int64)
    takes = (sex == 1) & chance(rng, np.where(relation == COUPLE, rate("population.wife_takes_name"), rate("population.single_woman_was_married")), count)
    partner = np.arange(count) ^ 1
    other = names.draw_surnames(rng, origin)
    new_name = np.where(relation == COUPLE, surname[partner], other)
    return np.where(takes, wed, NEVER), np.where(takes, new_name, surname)


def _groups(rng: np.random.Generator, sex: Ints, age: Floats, density: float) -> Ints:
    """Who is treated for what. The chance follows sex and age and averages to the share that is treated."""
    count = len(sex)
    shares = vector("treatment.group_share_of_people")
    men = vector("treatment.men_share")[:4]
    shape = np.exp(-(((age - 41) / 13) ** 2)) if density <= 1.5 else np.ones(count)
    shape = np.where(age < 19, 0.0, shape + 0.02)
    chance_treated = shape / shape.mean() * rate("feeds.treatment")
    treated = chance(rng, chance_treated, count)
    weights = np.stack([shares * men / 0.493, shares * (1 - men) / 0.507])
    group = np.full(count, NO_USE, dtype=np.int64)
    drawn = choose_by_row(rng, weights, sex)
    user = chance(rng, rate("crime.untreated_users"), count)
    group[user] = UNTREATED_USER
    return np.where(treated, drawn, group)


def _memberships(rng: np.random.Generator, group: Ints) -> tuple[Flags, Flags, Flags]:
    """Which of police, benefits and housing ever know each person. Rest-of-population shares make the totals come out."""
    known = []
    for feed in ("police", "benefits", "housing"):
        by_group = vector(f"feeds.{feed}_by_group")
        probability = by_group[np.minimum(group, UNTREATED_USER)]
        users = group < NO_USE
        rest = (rate(f"feeds.{feed}") * len(group) - probability[users].sum()) / max(1, (~users).sum())
        known.append(chance(rng, np.where(users, probability, np.clip(rest, 0, 1)), len(group)))
    return known[0], known[1], known[2]
