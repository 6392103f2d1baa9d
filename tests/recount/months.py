"""Every agency's state of a person month by month, counted in sets of days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from tests.recount.held import Person
from tests.recount.journeys import Journey, journeys_of
from tests.recount.outcomes import Coverage, Row, after, died_on, home, on_out_of_work_benefit
from tests.recount.reoffending import custody_of
from tests.recount.sustained import days_worked

DAY = timedelta(days=1)
FIRST = date(2005, 4, 1)


def person_months(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `fct_person_months` of a person who was ever in treatment: from the first month in which anything is known of the person
    to the last that every agency has told of, or the month of death."""
    if not person.has_record_in("ndtms"):
        return []
    told = min(covered.treatment, covered.police, covered.benefits, covered.housing, covered.custody)
    last = (told + DAY).replace(day=1) - DAY
    died = died_on(person)
    until = min(last, died or last)
    treated = _treated(journeys_of(person), until)
    days = {
        "treatment": _by_month(treated),
        "out_of_work": _by_month(_days_on_benefit(person, until)),
        "work": _by_month(days_worked(person, FIRST, until)),
        "custody": _by_month(_nights_in_prison(person, until)),
        "offences": _by_month(row["OFFENCE_DATE"] for row in person.of("offences")),
        "arrests": _by_month(row["ARREST_DATE"] for row in person.of("arrests")),
    }
    homes = {month: settled for month in _months(FIRST, until) if (end := _end(month)) <= until and (settled := home(person, end)) is not None}
    known = [month for counted in days.values() for month in counted if FIRST <= month <= last] + list(homes)
    # Of whoever became known after the last of those months nothing is told yet.
    return [_month(person, month, days, homes, treated, died) for month in _months(min(known), until)] if known else []


def _month(person: Person, month: date, days: dict[str, Counter[date]], homes: dict[date, bool], treated: dict[date, Journey], died: date | None) -> Row:
    counted = {state: of[month] for state, of in days.items()}
    latest = max((day for day in treated if day.replace(day=1) == month), default=None)
    polices, claims, serves = person.has_record_in("nominals"), person.has_record_in("claimants"), person.has_record_in("receptions")
    return {
        "person": person.person,
        "month_start": month,
        "in_treatment": counted["treatment"] > 0,
        "days_in_treatment": counted["treatment"],
        "drug_group": treated[latest].drug_group if latest else None,
        "proven_offences": counted["offences"] if polices else None,
        "arrests": counted["arrests"] if polices else None,
        "on_out_of_work_benefit": counted["out_of_work"] > 0 if claims else None,
        "days_on_out_of_work_benefit": counted["out_of_work"] if claims else None,
        "in_work": counted["work"] > 0 if claims else None,
        "days_in_work": counted["work"] if claims else None,
        "is_settled": homes.get(month),
        "in_custody": counted["custody"] > 0 if serves else None,
        "nights_in_custody": counted["custody"] if serves else None,
        "is_alive": died is None or died > _end(month),
    }


def _treated(journeys: Iterable[Journey], until: date) -> dict[date, Journey]:
    """The days in treatment with the journey each belongs to; where two overlap, the one that ended first."""
    found: dict[date, Journey] = {}
    for journey in sorted(journeys, key=lambda one: one.end or date.max):
        for day in _days(journey.start, min(journey.end or until, until)):
            found.setdefault(day, journey)
    return found


def _days_on_benefit(person: Person, until: date) -> Iterator[date]:
    start = min((spell["START_DATE"] for spell in person.of("benefit_spells")), default=until + DAY)
    return (day for day in _days(max(start, FIRST), until) if on_out_of_work_benefit(person, day))


def _nights_in_prison(person: Person, until: date) -> set[date]:
    spells = custody_of(person) if person.has_record_in("receptions", "releases") else []
    return {night for spell in spells for night in _days(spell.start, min(spell.end - DAY if spell.end else until, until))}


def _by_month(days: Iterable[date]) -> Counter[date]:
    return Counter(day.replace(day=1) for day in days)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + k * DAY for k in range((last - first).days + 1))


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = after(month, 1)


def _end(month: date) -> date:
    return after(month, 1) - DAY
