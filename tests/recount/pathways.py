"""Ways into treatment, from an arrest and out of prison, asked of one person at a time."""

from __future__ import annotations

from datetime import date, timedelta

from tests.recount.held import Person, Record
from tests.recount.journeys import Episode, Journey, episodes_of, journeys_of
from tests.recount.outcomes import Coverage, Row, after, died_on, status
from tests.recount.reoffending import Spell, custody_of

ASSESSED_IN, TREATED_IN, THREE_WEEKS = timedelta(days=28), timedelta(days=84), timedelta(days=21)
IN_PRISON = "5"
Treatment = list[tuple[date, date | None]]


def arrests_to_treatment(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_arrest_to_treatment` of a person: one for each arrest for which a drug test was asked."""
    journeys, died = sorted(journeys_of(person), key=lambda journey: journey.start), died_on(person)
    known = min(covered.treatment, covered.police)
    return [_arrest(person, row, journeys, died, known) for row in person.of("arrests") if row["TRIGGER_OFFENCE"] == "Y" or row["OPIATE_RESULT"] != "X"]


def _arrest(person: Person, row: Record, journeys: list[Journey], died: date | None, known: date) -> Row:
    day: date = row["ARREST_DATE"]
    is_positive = "P" in (row["OPIATE_RESULT"], row["COCAINE_RESULT"])
    engaged = any(journey.start < day and (journey.end is None or day - ASSESSED_IN <= journey.end) for journey in journeys)
    followed = next((journey for journey in journeys if journey.start >= day), None)
    assessed = followed.start if followed and followed.start <= day + TREATED_IN else None
    treated = followed.treatment_start if followed else None
    treated = treated if treated and day <= treated <= day + TREATED_IN else None

    def answer(happened: bool, last_day: date) -> str:
        if not is_positive or engaged:
            return "not applicable"
        return status(happened, last_day, last_day, known, died, person.has_record_in("ndtms"))

    return {
        "person": person.person,
        "arrest_date": day,
        "is_positive": is_positive,
        "was_engaged": engaged,
        "days_to_assessment": (assessed - day).days if assessed else None,
        "days_to_treatment": (treated - day).days if treated else None,
        "arrest_to_assessment": answer(assessed is not None and assessed <= day + ASSESSED_IN, day + ASSESSED_IN),
        "arrest_to_treatment": answer(treated is not None, day + TREATED_IN),
    }


def custody_to_community(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_custody_to_community` of a person: one for each time in prison that ended in the community."""
    treatment, died = _community_treatment(person), died_on(person)
    spells = [(spell, spell.end) for spell in custody_of(person) if spell.is_released_to_community]
    prison_tells = person.has_record_in("receptions", "releases")
    known = min(covered.treatment, covered.custody if prison_tells else covered.police)
    return [_release(person, spell, end, treatment, died, known) for spell, end in spells if end]


def _release(person: Person, spell: Spell, released: date, treatment: Treatment, died: date | None, known: date) -> Row:
    need_from = after(spell.start, -12)
    tested = any(need_from <= row["ARREST_DATE"] <= spell.start and "P" in (row["OPIATE_RESULT"], row["COCAINE_RESULT"]) for row in person.of("arrests"))
    inside = _is_treated_inside(person, spell)
    around = any(start < released and (end is None or end >= need_from) for start, end in treatment)
    went_on = any(start <= released and (end is None or released <= end) for start, end in treatment)
    began = min((start for start, _ in treatment if released <= start and (died is None or start <= died)), default=None)
    until = released + THREE_WEEKS
    engaged_on = released if went_on else began if began and began <= until else None
    need = "treatment in prison" if inside else "community treatment" if around else "positive drug test" if tested else None
    known_before = any(start < spell.start for start, _ in treatment)
    unknown = status(not known_before, spell.start, spell.start, known, None) if inside or tested else "not applicable"
    followed = status(engaged_on is not None, until, until, known, died, person.has_record_in("ndtms")) if need else "not applicable"
    return {
        "person": person.person,
        "reception_date": spell.start,
        "release_date": released,
        "need_evidence": need,
        "engaged_on": engaged_on,
        "need_not_in_treatment": unknown,
        "custody_to_community": followed,
    }


def _is_treated_inside(person: Person, spell: Spell) -> bool:
    return any(
        row["MODSET"] == IN_PRISON
        and row["MODST"] is not None
        and (spell.end is None or row["MODST"] < spell.end)
        and (row["MODEND"] is None or spell.start <= row["MODEND"])
        for row in person.of("ndtms")
    )


def _community_treatment(person: Person) -> Treatment:
    """Episodes outside prison, from triage to discharge: all but those whose every intervention is set in prison."""
    return [(episode.triage, episode.end) for episode in episodes_of(person) if _settings(person, episode) != {True}]


def _settings(person: Person, episode: Episode) -> set[bool]:
    """Whether the interventions of an episode are in prison."""
    key = (episode.provider, episode.partnership, episode.triage)
    return {row["MODSET"] == IN_PRISON for row in person.of("ndtms") if (row["AGNCY"], row["DAT"], row["TRIAGED"]) == key and row["MODAL"] is not None}
