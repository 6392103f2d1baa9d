"""Sex and year of birth of a person where agencies disagree: what most records say, the lowest of several equally frequent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

from tests.recount.held import Person, Record

# Tables that describe a person, and the columns that tell their records apart. A record has one vote for each description of it.
DESCRIBED = {
    "ndtms": ("AGNCY", "CLIENTID", "ETHNIC"),
    "nominals": ("NOMINAL_ID",),
    "claimants": ("CLAIMANT_ID",),
    "people": ("CASE_ID", "PERSON_NO"),
    "support_services": ("SERVICE_CLIENT_ID",),
    "registrations": ("REGISTRATION_ID",),
    "receptions": ("PRISON_NO",),
    "nominations": ("PPO_NO",),
}
SEXES = ("F", "M")
Value = TypeVar("Value", str, int)


def sex_of(person: Person) -> str | None:
    """F or M; None where no record says."""
    return most_frequent(sex for sex, _ in _votes(person) if sex in SEXES)


def birth_year_of(person: Person) -> int | None:
    """The year of birth; None where no record says."""
    return most_frequent(year for _, year in _votes(person) if year is not None)


def _votes(person: Person) -> Iterable[tuple[str | None, int | None]]:
    for table, key in DESCRIBED.items():
        told: set[Hashable] = set()
        for row in person.of(table):
            vote = row["SEX"], row["DOB"].year if row["DOB"] else None
            if (said := (*_named(row, key), *vote)) not in told:
                told.add(said)
                yield vote


def _named(row: Record, key: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(row[column] for column in key)


def most_frequent(values: Iterable[Value]) -> Value | None:
    """The value that is given most often, the lowest of several; None of nothing."""
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value), default=None)
