"""Sustained recovery and effective treatment, asked of one person at a time."""

from __future__ import annotations

from datetime import date, timedelta

from tests.recount.held import Person
from tests.recount.journeys import DIED, Journey, journeys_of
from tests.recount.outcomes import OF_BENEFITS, Coverage, Row, after, came_back, died_on, has_offended, home, is_known_to_police, on_out_of_work_benefit, status

HORIZONS = (6, 12, 24)
WAIT_FOR_PROOF = 6
WEEKS_12 = timedelta(days=84)
OPPOSITE = {"yes": "no", "no": "yes"}


def sustained_recovery(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_sustained_recovery` of a person: one for each completed journey and horizon."""
    journeys = journeys_of(person)
    died = died_on(person)
    ended = [(journey, journey.end) for journey in journeys if journey.is_completed]
    return [_sustained(person, journey, end, months, journeys, died, covered) for journey, end in ended if end for months in HORIZONS]


def _sustained(person: Person, journey: Journey, end: date, months: int, journeys: list[Journey], died: date | None, covered: Coverage) -> Row:
    asked = after(end, months)
    eve = asked - timedelta(days=1)
    proven_before = after(end, months + WAIT_FOR_PROOF)
    alive = died is None or asked < died
    is_claimant = person.has_record_in(*OF_BENEFITS)
    work = min(covered.treatment, covered.benefits)
    worked = days_worked(person, end, asked if died is None else min(asked, died))
    returned = status(came_back(journey, end, asked, journeys, died), eve, eve, covered.treatment, died)
    offended = status(
        has_offended(person, end, asked, proven_before, died),
        eve,
        proven_before - timedelta(days=1),
        min(covered.treatment, covered.police),
        died,
        is_known_to_police(person),
    )
    claims = status(alive and on_out_of_work_benefit(person, asked), asked, asked, work, died, is_claimant)
    found: Row = {
        "person": person.person,
        "end_date": end,
        "horizon_months": months,
        "not_back_in_treatment": _not(returned),
        "no_proven_offence": "not applicable" if end < covered.police_since else _not(offended),
        "off_out_of_work_benefit": _not(claims),
        "in_work": status(alive and asked in worked, asked, asked, work, died, is_claimant),
        "in_work_13_weeks": status(longest_run(worked) >= 13 * 7, asked, asked, work, died, is_claimant),
        "in_work_26_weeks": status(longest_run(worked) >= 26 * 7, asked, asked, work, died, is_claimant),
        "settled": status(alive and home(person, asked) is True, asked, asked, min(covered.treatment, covered.housing), died, home(person, asked) is not None),
        "alive": _not(status(not alive, asked, asked, min(covered.treatment, covered.deaths), None)),
    }
    return found | {"off_drugs_off_benefit_in_work": joint(found, is_claimant)}


def _not(answer: str) -> str:
    """The answer to the opposite question."""
    return OPPOSITE.get(answer, answer)


def joint(found: Row, is_claimant: bool) -> object:
    """The strategy's outcome: not back, not on benefit and in work, all three; asked of people that the benefits agency knows."""
    if found["in_work"] == "not yet observable" or not is_claimant:
        return found["in_work"]
    parts = {found["not_back_in_treatment"], found["off_out_of_work_benefit"], found["in_work"]}
    return next((answer for answer in ("no", "censored by death") if answer in parts), "yes")


def days_worked(person: Person, first: date, last: date) -> set[date]:
    """The days from one to another on which the person has a job."""
    days: set[date] = set()
    for job in person.of("employment_spells"):
        start, end = max(job["START_DATE"], first), min(job["END_DATE"] or last, last)
        days |= {start + timedelta(days=k) for k in range((end - start).days + 1)}
    return days


def longest_run(days: set[date]) -> int:
    """The most days in a row."""
    longest = run = 0
    for day in sorted(days):
        run = run + 1 if day - timedelta(days=1) in days else 1
        longest = max(longest, run)
    return longest


def effective_treatment(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_effective_treatment` of a person, without waits: one for each journey."""
    died = died_on(person)
    return [_effective(person, journey, died, covered) for journey in journeys_of(person)]


def _effective(person: Person, journey: Journey, died: date | None, covered: Coverage) -> Row:
    found: Row = {"person": person.person, "start_date": journey.start, "end_date": journey.end}
    start = journey.treatment_start
    if start is None:
        return found | dict.fromkeys(("effective_treatment", "retained_12_weeks", "unplanned_exit_12_weeks"), "not applicable")
    ends = [day for day in (journey.end, died) if day]
    # Whoever completed was alive to; a death before treatment began is somebody else's, linked wrongly.
    is_in_treatment = died is not None and start <= died and (journey.end is None or died <= journey.end)
    is_death = not journey.is_completed and (journey.reason in DIED or is_in_treatment)
    left = min(ends) if is_death else journey.end
    kept = left is None or left >= start + WEEKS_12
    final_on = start + WEEKS_12 + timedelta(days=19)
    censored = left if is_death else None
    last_day = start + WEEKS_12 - timedelta(days=1)

    def answer(happened: bool) -> str:
        return status(happened, last_day, final_on, covered.treatment, censored)

    return found | {
        "effective_treatment": answer(kept or journey.is_completed),
        "retained_12_weeks": answer(kept),
        "unplanned_exit_12_weeks": answer(not kept and not journey.is_completed and not is_death),
    }
