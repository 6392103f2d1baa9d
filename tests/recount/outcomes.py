"""Outcomes of ended journeys, asked of one person at a time. Months are calendar months: the same day of the month, or the last one where
the month has no such day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from tests.recount.held import Person, Record
from tests.recount.journeys import DIED, Journey, journeys_of

Row = dict[str, object]
ALWAYS_OUT_OF_WORK = {"JSA", "IS", "IB", "SDA", "ESA"}
WORKING_REGIMES = {"W", "K"}
SETTLED = {"3": True, "4": True, "5": True, "9": True, "11": None, "12": None, None: None}
WITH_ROOMS = {"SH", "AP", "SL", "RF", "FO", "TP", "DA"}
OF_BENEFITS = ("claimants",)
OF_HOUSING = ("people", "support_services")


@dataclass(frozen=True)
class Coverage:
    """The last day each feed is known for, and the first that the police are: their earliest offence."""

    treatment: date
    police: date
    benefits: date
    housing: date
    deaths: date
    custody: date
    priority_offenders: date
    police_since: date


def after(day: date, months: int) -> date:
    """So many calendar months after a day."""
    return day + relativedelta(months=months)


def died_on(person: Person) -> date | None:
    """The registered date of death; without one the earliest that another agency reports."""
    registered = [row["DATE_OF_DEATH"] for row in person.of("registrations")]
    reported = [row["RELEASE_DATE"] for row in person.of("releases") if row["RELEASE_TYPE"] == "DEC"]
    reported += [row["DISD"] for row in person.of("ndtms") if row["DISD"] and row["DISRSN"] is not None and int(row["DISRSN"]) in DIED]
    reported += [row["END_DATE"] for row in person.of("benefit_spells") if row["END_REASON"] == "D" and row["END_DATE"]]
    return min(registered or reported, default=None)


def status(happened: bool, last_day: date, final_on: date, covered: date, died: date | None, is_linked: bool = True) -> str:
    """What is known: nothing before the window has closed; then what happened; then death, then whether anybody would know."""
    if final_on > covered:
        return "not yet observable"
    if happened:
        return "yes"
    if died is not None and died <= last_day:
        return "censored by death"
    return "no" if is_linked else "not linked"


def recovery(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_recovery` of a person: one for each journey that has ended."""
    journeys = journeys_of(person)
    died = died_on(person)
    return [_recovery(person, journey, end, journeys, died, covered) for journey in journeys if (end := journey.end) is not None]


def _recovery(person: Person, journey: Journey, end: date, journeys: list[Journey], died: date | None, covered: Coverage) -> Row:
    work = min(covered.treatment, covered.benefits)
    homes = min(covered.treatment, covered.housing)
    return {
        "person": person.person,
        "start_date": journey.start,
        "end_date": end,
        "drug_group": journey.drug_group,
        "is_linked_to_police": is_known_to_police(person),
        "is_linked_to_benefits": person.has_record_in(*OF_BENEFITS),
        "is_linked_to_housing": person.has_record_in(*OF_HOUSING),
        "successful_completion": status(journey.is_completed, end, end + timedelta(days=20), covered.treatment, None),
        "re_presentation_6m": re_presentation(journey, end, journeys, died, covered, 6),
        "re_presentation_12m": re_presentation(journey, end, journeys, died, covered, 12),
        "proven_reoffence_12m": _reoffence(person, end, died, covered),
        "in_work_off_benefit_6m": _asked(person, after(end, 6), died, work, _works_off_benefit, person.has_record_in(*OF_BENEFITS)),
        "in_work_off_benefit_12m": _asked(person, after(end, 12), died, work, _works_off_benefit, person.has_record_in(*OF_BENEFITS)),
        "settled_accommodation_6m": _asked(person, after(end, 6), died, homes, _is_settled, home(person, after(end, 6)) is not None),
        "settled_accommodation_12m": _asked(person, after(end, 12), died, homes, _is_settled, home(person, after(end, 12)) is not None),
    }


def is_known_to_police(person: Person) -> bool:
    """Whether the police have a record of the person."""
    return person.has_record_in("nominals")


def re_presentation(journey: Journey, end: date, journeys: list[Journey], died: date | None, covered: Coverage, months: int) -> str:
    """Whether a later journey began within so many months of one that was completed."""
    if not journey.is_completed:
        return "not applicable"
    before = after(end, months)
    eve = before - timedelta(days=1)
    return status(came_back(journey, end, before, journeys, died), eve, eve, covered.treatment, died)


def came_back(journey: Journey, end: date, before: date, journeys: list[Journey], died: date | None) -> bool:
    """Whether another journey of the person began from the day this one ended on, and before a day."""
    return any(other is not journey and end <= other.start < before and is_alive(other.start, died) for other in journeys)


def is_alive(day: date, died: date | None) -> bool:
    """On the day of death as on the days before it."""
    return died is None or day <= died


def _reoffence(person: Person, end: date, died: date | None, covered: Coverage) -> str:
    """A proven offence in twelve months, the proof in six months more."""
    before, proven_before = after(end, 12), after(end, 18)
    offended = has_offended(person, end, before, proven_before, died)
    known = min(covered.treatment, covered.police)
    if end < covered.police_since:
        return "not applicable"
    return status(offended, before - timedelta(days=1), proven_before - timedelta(days=1), known, died, is_known_to_police(person))


def has_offended(person: Person, since: date, before: date, proven_before: date, died: date | None) -> bool:
    """Whether there is an offence from one day on and before another that was proven before a third."""
    return any(
        since <= row["OFFENCE_DATE"] < before and row["DISPOSAL_DATE"] < proven_before and is_alive(row["OFFENCE_DATE"], died) for row in person.of("offences")
    )


def _asked(person: Person, day: date, died: date | None, covered: date, state: Callable[[Person, date], bool], is_known: bool) -> str:
    """A question asked of one day."""
    return status((died is None or day < died) and state(person, day), day, day, covered, died, is_known)


def _lasts(row: Record, day: date) -> bool:
    return bool(row["START_DATE"] <= day and (row["END_DATE"] is None or day <= row["END_DATE"]))


def _works_off_benefit(person: Person, day: date) -> bool:
    return any(_lasts(job, day) for job in person.of("employment_spells")) and not on_out_of_work_benefit(person, day)


def on_out_of_work_benefit(person: Person, day: date) -> bool:
    """Universal Credit counts unless its regime says that the claimant works."""
    return any(
        _lasts(spell, day)
        and (spell["BENEFIT_TYPE"] in ALWAYS_OUT_OF_WORK or (spell["BENEFIT_TYPE"] == "UC" and spell["CONDITIONALITY"] not in WORKING_REGIMES))
        for spell in person.of("benefit_spells")
    )


def _is_settled(person: Person, day: date) -> bool:
    return home(person, day) is True


def home(person: Person, day: date) -> bool | None:
    """Whether the last thing that housing services learnt by a day is a settled home; None when they know nothing yet.

    Of what they learn on one day an outcome stands before a placement, and that before what was true on applying.
    """
    learnt = [(when, rank, settled) for when, rank, settled in _learnt(person) if when is not None and settled is not None and when <= day]
    return max(learnt)[2] if learnt else None


def _learnt(person: Person) -> list[tuple[date | None, int, bool | None]]:
    found: list[tuple[date | None, int, bool | None]] = []
    for case in person.of("cases"):
        owed = case["ASSESSMENT_DECISION"] in ("P", "R")
        found.append((case["APPLICATION_DATE"], 1, False if owed else SETTLED.get(case["ACCOMMODATION_AT_APPLICATION"], False)))
    found += [(stay["ENTRY_DATE"], 2, False) for stay in person.of("temporary_accommodation")]
    for duty in person.of("duties"):
        secured = SETTLED.get(duty["ACCOMMODATION_SECURED"], False)
        found.append((duty["END_DATE"], 3, True if secured is None and duty["END_REASON"] == "SEC" else secured))
    for service in person.of("support_services"):
        if service["SERVICE_TYPE"] in WITH_ROOMS:
            found.append((service["ENTRY_DATE"], 2, False))
        if service["SETTLED_NEED"] == "Y" and service["SETTLED_ACHIEVED"] is not None:
            found.append((service["EXIT_DATE"], 3, service["SETTLED_ACHIEVED"] == "Y"))
    return found
