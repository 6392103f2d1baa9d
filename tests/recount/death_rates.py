"""Death rates: deaths and time at risk, counted day by day, crude and standardised by age."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from tests.recount.areas import REFERENCE
from tests.recount.deaths import cause_of, death_class, last_journey
from tests.recount.held import Person
from tests.recount.journeys import Journey, journeys_of
from tests.recount.outcomes import Coverage, Row, after, died_on
from tests.recount.particulars import birth_year_of, sex_of
from tests.recount.rounding import rounded

DAY = timedelta(days=1)
DAYS_OF_A_YEAR = Decimal("365.25")
PER = 1000
FEWEST_DEATHS = 10
CAUSES = ("all causes", "drug misuse")
OLDEST_BAND = 90


class Stratum(NamedTuple):
    """People of one kind in one year; `age_from` is where their five-year age band begins, None where the age is not known."""

    year: int
    phase: str
    drug_group: str
    sex: str
    age_from: int | None


class Cell(NamedTuple):
    """A cell of the report."""

    calendar_year: int
    treatment_phase: str
    cause: str
    breakdown: str
    breakdown_value: str


@dataclass(frozen=True)
class Course:
    """Treatment without a day between: journeys that overlap or follow each other by the next day."""

    journeys: tuple[Journey, ...]

    @property
    def start(self) -> date:
        return min(journey.start for journey in self.journeys)

    @property
    def end(self) -> date:
        return max(journey.end or date.max for journey in self.journeys)

    @property
    def drug_group(self) -> str:
        """That of the journey which ended last."""
        return min(self.journeys, key=lambda journey: (date.max - (journey.end or date.max), date.max - journey.start, journey.drug_group)).drug_group


def death_rates(people: Iterable[Person], covered: Coverage) -> list[Row]:
    """The rows of `rpt_deaths` without intervals: by year and by what it was to treatment, all causes and drug misuse, of all and by drug group, sex and
    age band."""
    known = min(covered.treatment, covered.deaths)
    days: Counter[Stratum] = Counter()
    died: Counter[tuple[str, Stratum]] = Counter()
    for person in people:
        if journeys := journeys_of(person):
            days.update(_time_at_risk(person, journeys, known))
            died.update(_death(person, known))
    bands: dict[Cell, set[int | None]] = {}
    days_of: Counter[tuple[Cell, int | None]] = Counter()
    deaths_of: Counter[tuple[Cell, int | None]] = Counter()
    for stratum in {*days, *(of for _, of in died)}:
        for cell in _cells(stratum):
            bands.setdefault(cell, set()).add(stratum.age_from)
            days_of[cell, stratum.age_from] += days[stratum]
            deaths_of[cell, stratum.age_from] += died[cell.cause, stratum]
    return [_row(cell, {band: (days_of[cell, band], deaths_of[cell, band]) for band in of}, known) for cell, of in bands.items()]


def _time_at_risk(person: Person, journeys: list[Journey], known: date) -> Counter[Stratum]:
    """The days of each kind of a person, the day of death among them."""
    sex, born = sex_of(person) or "not known", birth_year_of(person)
    until = min(known, died_on(person) or known)
    spent = Counter((day.year, phase, drug_group) for day, phase, drug_group in _days(journeys, until))
    return Counter({Stratum(year, phase, drug_group, sex, _age_from(born, year)): count for (year, phase, drug_group), count in spent.items()})


def _days(journeys: list[Journey], until: date) -> Iterator[tuple[date, str, str]]:
    """Each day from the first start on, what it was to treatment, and what the treatment that began last was for."""
    courses = _courses(journeys)
    for course, following in zip_longest(courses, courses[1:]):
        last = min(until, following.start - DAY) if following else until
        later_from = after(course.end, 12) if course.end < date.max else date.max
        drug_group = course.drug_group
        for k in range((last - course.start).days + 1):
            day = course.start + k * DAY
            yield day, "in treatment" if day <= course.end else "within a year of leaving" if day < later_from else "later", drug_group


def _courses(journeys: list[Journey]) -> list[Course]:
    found: list[Course] = []
    for journey in sorted(journeys, key=lambda journey: (journey.start, journey.end or date.max)):
        if found and (found[-1].end == date.max or journey.start <= found[-1].end + DAY):
            found[-1] = Course((*found[-1].journeys, journey))
        else:
            found.append(Course((journey,)))
    return found


def _death(person: Person, known: date) -> Counter[tuple[str, Stratum]]:
    """The death of a person who had begun treatment, under each cause that it counts for."""
    died = died_on(person)
    last = last_journey(person, died) if died else None
    if died is None or died > known or last is None:
        return Counter()
    stratum = Stratum(died.year, death_class(died, last), last.drug_group, sex_of(person) or "not known", _age_from(birth_year_of(person), died.year))
    causes = CAUSES if cause_of(person, died) == "drug misuse" else CAUSES[:1]
    return Counter({(cause, stratum): 1 for cause in causes})


def _age_from(born: int | None, year: int) -> int | None:
    """By the age reached in the year."""
    return None if born is None else min((year - born) // 5 * 5, OLDEST_BAND)


def _cells(stratum: Stratum) -> Iterator[Cell]:
    """The cells that people count in."""
    parts = [("all", "all"), ("drug group", stratum.drug_group), ("sex", stratum.sex), ("age band", _age_band(stratum.age_from))]
    for phase in ("all", stratum.phase):
        for cause in CAUSES:
            yield from (Cell(stratum.year, phase, cause, breakdown, value) for breakdown, value in parts)


def _age_band(age_from: int | None) -> str:
    if age_from is None:
        return "not known"
    return f"{OLDEST_BAND}+" if age_from == OLDEST_BAND else f"{age_from}-{age_from + 4}"


def _row(cell: Cell, bands: dict[int | None, tuple[int, int]], known: date) -> Row:
    days, deaths = (sum(values) for values in zip(*bands.values(), strict=True))
    return {
        **cell._asdict(),
        "deaths": deaths,
        "person_years": rounded(days / DAYS_OF_A_YEAR, "0.1"),
        "crude_rate": rounded(PER * deaths * DAYS_OF_A_YEAR / days, "0.01") if days else None,
        "standardised_rate": _standardised(bands) if cell.breakdown != "age band" else None,
        "is_year_complete": date(cell.calendar_year, 12, 31) <= known,
    }


def _standardised(bands: dict[int | None, tuple[int, int]]) -> Decimal | None:
    """The rate that the standard population would have, over the bands with anybody to die; None of too few deaths."""
    weights = _standard_population()
    lived = [(weights[band], days, deaths) for band, (days, deaths) in bands.items() if band is not None and days]
    if sum(deaths for _, _, deaths in lived) < FEWEST_DEATHS:
        return None
    rate = sum((weight * deaths * DAYS_OF_A_YEAR / days for weight, days, deaths in lived), Decimal()) / sum(weight for weight, _, _ in lived)
    return rounded(PER * rate, "0.01")


@cache
def _standard_population() -> dict[int, int]:
    """The European Standard Population 2013 by where its age bands begin."""
    with (REFERENCE / "standard_population.csv").open(encoding="utf-8", newline="") as stream:
        return {int(row["age_from"]): int(row["standard_population"]) for row in csv.DictReader(stream)}
