"""Deaths: when in or after treatment, and of what. Causes by the definitions of the Office for National Statistics, as ICD-10 codes."""

from __future__ import annotations

from datetime import date

from tests.recount.held import Person
from tests.recount.journeys import DIED, Journey, journeys_of
from tests.recount.outcomes import Coverage, Row, after, died_on

DRUG_USE_DISORDERS = {f"F{code}" for code in (11, 12, 13, 14, 15, 16, 18, 19)}
DRUG_POISONINGS = {f"{letter}{code}" for letter, codes in (("X", (*range(40, 45), *range(60, 65), 85)), ("Y", range(10, 15))) for code in codes}
CONTROLLED_DRUGS = {*(f"T40{code}" for code in range(10)), "T423", "T424", "T436"}
ALCOHOL_SPECIFIC = {"E244", "F10", "G312", "G621", "G721", "I426", "K292", "K70", "K852", "K860", "Q860", "R780", "X45", "X65", "Y15"}
MENTIONED = ("UNDERLYING_CAUSE", "CAUSE_1", "CAUSE_2", "CAUSE_3", "CAUSE_4", "CAUSE_5", "CAUSE_6")


def deaths(person: Person, covered: Coverage) -> list[Row]:
    """The row of `fct_deaths` of a person who died and of whom more than the death is known."""
    died = died_on(person)
    if died is None or not set(person.rows) - {"registrations"}:
        return []
    last = last_journey(person, died)
    cause = cause_of(person, died)
    return [
        {
            "person": person.person,
            "death_month": died.replace(day=1),
            "death_class": death_class(died, last),
            "cause_class": cause,
            "is_drug_misuse": cause == "drug misuse",
        }
    ]


def last_journey(person: Person, died: date) -> Journey | None:
    """Of the journeys that had begun the one that ended last."""
    begun = [journey for journey in journeys_of(person) if journey.start <= died]
    return max(begun, key=lambda journey: (journey.end or date.max, journey.start), default=None)


def death_class(died: date, last: Journey | None) -> str:
    """What a death is to treatment."""
    if last is None:
        return "never in treatment"
    if last.end is None or died <= last.end or last.reason in DIED:
        return "in treatment"
    return "within a year of leaving" if died < after(last.end, 12) else "later"


def cause_of(person: Person, died: date) -> str:
    """What the register says of a death on a day; several registrations of one death are read together."""
    registered = [row for row in person.of("registrations") if row["DATE_OF_DEATH"] == died]
    if not registered:
        return "not registered"
    underlying = {row["UNDERLYING_CAUSE"] for row in registered}
    mentioned = {row[column] for row in registered for column in MENTIONED}
    if _any_of(underlying, DRUG_USE_DISORDERS) or (_any_of(underlying, DRUG_POISONINGS) and _any_of(mentioned, CONTROLLED_DRUGS)):
        return "drug misuse"
    if _any_of(underlying, DRUG_POISONINGS):
        return "other drug poisoning"
    return "alcohol-specific" if _any_of(underlying, ALCOHOL_SPECIFIC) else "other"


def _any_of(found: set[str | None], codes: set[str]) -> bool:
    """Codes have three or four characters; a definition names either."""
    return any(code is not None and (code in codes or code[:3] in codes) for code in found)
