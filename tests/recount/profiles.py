"""Treatment outcomes profiles and waits of each journey, asked of one person at a time."""

from __future__ import annotations

from datetime import date, timedelta

from tests.recount.held import Person, Record
from tests.recount.journeys import DIED, Journey, journeys_of
from tests.recount.outcomes import Coverage, Row, died_on, status

START_WITHIN, EXIT_WITHIN = 14, 14
REVIEW_FIRST, REVIEW_LAST = 29, 182
CONTINUED_UNTIL = 20
STRUCTURED = {"1", "2", "3", "4", "5", "6", "11", "12", "94", "95"}
THREE_WEEKS = 21
# What counts as a reliable change, in days of 28.
RELIABLE = {"alcohol_days": ("ALCUSE", 11), "opioid_days": ("OPIUSE", 13), "crack_days": ("CRAUSE", 13)}


def top_change(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_top_change` of a person: one for each journey."""
    return [_profiles(person, journey, died_on(person), covered) for journey in journeys_of(person)]


def _rows_of(person: Person, journey: Journey) -> list[Record]:
    keys = {(episode.provider, episode.partnership, episode.triage) for episode in journey.episodes}
    return [row for row in person.of("ndtms") if (row["AGNCY"], row["DAT"], row["TRIAGED"]) in keys]


def _profiles(person: Person, journey: Journey, died: date | None, covered: Coverage) -> Row:
    held = [row for row in _rows_of(person, journey) if row["TOPDATE"] is not None]
    began, end = journey.treatment_start, journey.end
    start = _nearest([row for row in held if row["TRSTAGE"] == "S"], began, START_WITHIN)
    leaving = _nearest([row for row in held if row["TRSTAGE"] == "E"], end, EXIT_WITHIN)
    reviews = [row for row in held if row["TRSTAGE"] == "R" and began and REVIEW_FIRST <= (row["TOPDATE"] - began).days <= REVIEW_LAST]
    review = max(reviews, key=lambda row: row["TOPDATE"], default=None)

    def answer(found: Record | None, since: date | None, within: int, final: int) -> str:
        if since is None:
            return "not applicable"
        return status(found is not None, since + timedelta(days=within), since + timedelta(days=final), covered.treatment, died)

    has_lasted = began is not None and (end is None or began + timedelta(days=REVIEW_LAST) < end)
    has_left = end is not None and journey.reason not in DIED
    found: Row = {
        "person": person.person,
        "start_date": journey.start,
        "end_date": end,
        "top_at_start": answer(start, began, START_WITHIN, START_WITHIN),
        "top_at_review": answer(review, began if has_lasted else None, REVIEW_LAST, REVIEW_LAST),
        "top_at_exit": answer(leaving, end if has_left else None, EXIT_WITHIN, max(EXIT_WITHIN, CONTINUED_UNTIL)),
    }
    for item, (column, reliable) in RELIABLE.items():
        before = _days(start, column)
        now = _days(review, column)
        found[f"{item}_at_start"] = before
        found[f"{item}_class"] = _class(before, now, reliable)
    return found


def _nearest(profiles: list[Record], day: date | None, within: int) -> Record | None:
    """The one nearest to a day, of those within so many days of it; the earlier of two equally near ones."""
    if day is None:
        return None
    near = [row for row in profiles if abs((row["TOPDATE"] - day).days) <= within]
    return min(near, key=lambda row: (abs((row["TOPDATE"] - day).days), row["TOPDATE"]), default=None)


def _days(profile: Record | None, column: str) -> int | None:
    return None if profile is None or profile[column] is None else int(profile[column])


def _class(before: int | None, now: int | None, reliable: int) -> str | None:
    if before is None or now is None:
        return None
    if before == 0:
        return "not used at start"
    if now == 0:
        return "abstinent"
    if before - now >= reliable:
        return "improved"
    return "deteriorated" if now - before >= reliable else "unchanged"


def waits(person: Person, covered: Coverage) -> list[Row]:
    """What `outcome_effective_treatment` says of the wait for the first structured intervention of each journey of a person."""
    return [
        {"person": person.person, "start_date": journey.start, "end_date": journey.end, "waited_within_3_weeks": _wait(person, journey, covered)}
        for journey in journeys_of(person)
    ]


def _wait(person: Person, journey: Journey, covered: Coverage) -> str:
    given: dict[tuple[object, ...], list[Record]] = {}
    for row in _rows_of(person, journey):
        if row["MODAL"] in STRUCTURED:
            given.setdefault((row["REFMODDT"] or date.max, row["MODAL"], row["MODSET"], row["AGNCY"], row["TRIAGED"]), []).append(row)
    if not given:
        return "not applicable"
    first = min(given, key=lambda key: (key[0], _first(given[key], "MODST") or date.max, key[1], key[2]))
    referred, offered, started = first[0], _first(given[first], "FAOMODDT"), _first(given[first], "MODST")
    if not isinstance(referred, date) or referred == date.max:
        return "not applicable"
    ends = [day for day in (offered, started) if day]
    if ends and min(ends) < referred:
        return "not applicable"
    final = referred + timedelta(days=THREE_WEEKS)
    waited = offered or started
    return status(waited is not None and waited <= final, final, final, covered.treatment, died_on(person))


def _first(rows: list[Record], column: str) -> date | None:
    return min((row[column] for row in rows if row[column]), default=None)
