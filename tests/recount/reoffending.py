"""Time in custody, proven reoffending and offending around the start of treatment, asked of one person at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tests.recount.held import Person, Record
from tests.recount.journeys import journeys_of
from tests.recount.outcomes import Coverage, Row, after, died_on, is_alive, is_known_to_police, status

DAY = timedelta(days=1)
SENTENCED = {"I", "F", "L"}
TO_COMMUNITY = {"CR", "HDC", "PAR", "SED", "CRT", "OTH"}
TRANSFER = "NOTR"
IMPRISONMENT = "C01"
CAUTIONS = {"K01", "K02", "K03"}


@dataclass(frozen=True)
class Spell:
    """Time in custody: `end` is the day of release, a day at liberty; None while inside."""

    start: date
    end: date | None
    is_sentenced: bool
    is_released_to_community: bool

    def nights(self, since: date, before: date) -> int:
        """The nights that it takes from a window whose last day is the one before `before`."""
        return max((min(self.end or before, before) - max(self.start, since)).days, 0)


def custody_of(person: Person) -> list[Spell]:
    """What prisons report; the dates that police hold with a disposal for people that prisons have no record of."""
    if person.has_record_in("receptions", "releases"):
        return _in_prison(person)
    dates = [(row["CUSTODY_START"], row["CUSTODY_END"]) for row in person.of("offences") if row["CUSTODY_START"]]
    return [Spell(start, end, True, end is not None) for start, end in _merged([(start, max(end, start) if end else None) for start, end in dates])]


def _in_prison(person: Person) -> list[Spell]:
    received = person.of("receptions")
    stays = [(row["RECEPTION_DATE"], _left_on(row, person.of("releases")), row["RECEPTION_TYPE"] in SENTENCED) for row in received]
    known = {_stay(row) for row in received}
    stays += [(row["RECEPTION_DATE"], _left(row), False) for row in person.of("releases") if _stay(row) not in known]
    stays.sort(key=lambda stay: (stay[0], stay[1] or date.max))
    # Who never left is inside until received anywhere again.
    ended = [(start, left or (stays[k + 1][0] if k + 1 < len(stays) else None), sentenced) for k, (start, left, sentenced) in enumerate(stays)]
    out = {row["RELEASE_DATE"] for row in person.of("releases") if row["RELEASE_TYPE"] in TO_COMMUNITY}
    return [
        Spell(start, end, any(sentenced for since, _, sentenced in ended if start <= since and (end is None or since <= end)), end in out)
        for start, end in _merged([(start, end) for start, end, _ in ended])
    ]


def _stay(row: Record) -> tuple[object, ...]:
    return row["PRISON_NO"], row["ESTABLISHMENT"], row["RECEPTION_DATE"]


def _left(release: Record) -> date | None:
    left: date | None = None if release["RELEASE_TYPE"] == TRANSFER else release["RELEASE_DATE"]
    return left


def _left_on(reception: Record, releases: list[Record]) -> date | None:
    return next((_left(release) for release in releases if _stay(release) == _stay(reception)), None)


def _merged(spells: list[tuple[date, date | None]]) -> list[tuple[date, date | None]]:
    """Spells that overlap or follow each other by the next day, made one."""
    found: list[tuple[date, date | None]] = []
    for start, end in sorted(spells, key=lambda spell: (spell[0], spell[1] or date.max)):
        if found and ((last := found[-1][1]) is None or start <= last + DAY):
            found[-1] = (found[-1][0], None if last is None or end is None else max(last, end))
        else:
            found.append((start, end))
    return found


@dataclass(frozen=True)
class Entry:
    """A person's entry into a cohort, and the first days from which an offence and its proof count."""

    cohort: str
    kind: str
    day: date
    offences_from: date
    proven_from: date


def _entries(person: Person) -> list[Entry]:
    journeys = journeys_of(person)
    found = [Entry("treatment start", "treatment start", journey.start, journey.start, journey.start) for journey in journeys]
    found += [Entry("treatment end", "treatment end", end, end, end) for journey in journeys if (end := journey.end)]
    found += [Entry("proven offence", kind, day, day, day + DAY) for day, _, kind in _first_of_quarters(_sanctions(person))]
    tested = [(row["ARREST_DATE"], 1, "positive drug test") for row in person.of("arrests") if "P" in (row["OPIATE_RESULT"], row["COCAINE_RESULT"])]
    return found + [Entry(kind, kind, day, day + DAY, day) for day, _, kind in _first_of_quarters(tested)]


def _sanctions(person: Person) -> list[tuple[date, int, str]]:
    released = [(spell.end, 1, "release from prison") for spell in custody_of(person) if spell.end and spell.is_sentenced and spell.is_released_to_community]
    sentenced = [row for row in person.of("offences") if row["DISPOSAL_CODE"] != IMPRISONMENT]
    return released + [
        (row["DISPOSAL_DATE"], 3, "caution") if row["DISPOSAL_CODE"] in CAUTIONS else (row["DISPOSAL_DATE"], 2, "court conviction") for row in sentenced
    ]


def _first_of_quarters(events: list[tuple[date, int, str]]) -> list[tuple[date, int, str]]:
    first: dict[tuple[int, int], tuple[date, int, str]] = {}
    for event in sorted(events):
        first.setdefault((event[0].year, (event[0].month - 1) // 3), event)
    return list(first.values())


def proven_reoffending(person: Person, covered: Coverage) -> list[Row]:
    """The rows of `outcome_proven_reoffending` of a person: one for each entry into a cohort."""
    died = died_on(person)
    return [_reoffending(person, entry, died, covered) for entry in _entries(person)]


def _reoffending(person: Person, entry: Entry, died: date | None, covered: Coverage) -> Row:
    before, proven_before = after(entry.day, 12), after(entry.day, 18)
    offences = [
        row["OFFENCE_DATE"]
        for row in person.of("offences")
        if entry.offences_from <= row["OFFENCE_DATE"] < before
        and entry.proven_from <= row["DISPOSAL_DATE"] < proven_before
        and (died is None or row["OFFENCE_DATE"] <= died)
    ]
    known = min(covered.treatment, covered.police) if entry.cohort.startswith("treatment") else covered.police
    answer = status(bool(offences), before - DAY, proven_before - DAY, known, died, is_known_to_police(person))
    if entry.day < covered.police_since:
        answer = "not applicable"
    until = max(min(before, died or before), entry.day)
    nights = sum(spell.nights(entry.day, until) for spell in custody_of(person))
    counts: Row = {
        "first_reoffence_date": min(offences, default=None),
        "reoffences": len(offences),
        "days_in_custody": nights,
        "days_at_risk": (until - entry.day).days - nights,
    }
    return {
        "person": person.person,
        "cohort": entry.cohort,
        "entry_type": entry.kind,
        "entry_date": entry.day,
        "proven_reoffence": answer,
        **(counts if answer in ("yes", "no") else dict.fromkeys(counts)),
    }


def offending_around_treatment(person: Person, covered: Coverage) -> list[Row]:
    """The row of `outcome_offending_around_treatment` of a person who was ever in treatment: the two years on either side of the first start."""
    journeys = journeys_of(person)
    if not journeys:
        return []
    start, died, spells = min(journey.start for journey in journeys), died_on(person), custody_of(person)
    since, before = after(start, -24), after(start, 24)
    known = min(covered.treatment, covered.police, covered.custody)
    earlier = _offences_in(person, since, start, after(start, 6), died)
    later = _offences_in(person, start, before, after(start, 30), died)
    said_before = status(bool(earlier), start - DAY, after(start, 6) - DAY, known, None, is_known_to_police(person))
    said_before = said_before if covered.police_since <= since else "not applicable"
    said_after = status(bool(later), before - DAY, after(start, 30) - DAY, known, died, is_known_to_police(person))
    until = max(min(before, died or before), start)
    nights_before = sum(spell.nights(since, start) for spell in spells)
    nights_after = sum(spell.nights(start, until) for spell in spells)
    counted_before: Row = {
        "offences_before": len(earlier),
        "days_in_custody_before": nights_before,
        "days_at_risk_before": (start - since).days - nights_before,
    }
    counted_after: Row = {
        "offences_after": len(later),
        "days_in_custody_after": nights_after,
        "days_at_risk_after": (until - start).days - nights_after,
    }
    return [
        {
            "person": person.person,
            "start_date": start,
            "offended_before": said_before,
            "offended_after": said_after,
            **(counted_before if said_before in ("yes", "no") else dict.fromkeys(counted_before)),
            **(counted_after if said_after in ("yes", "no", "censored by death") else dict.fromkeys(counted_after)),
        }
    ]


def priority_offending(person: Person, covered: Coverage) -> list[Row]:
    """The row of `outcome_priority_offending` of a person who was ever on a list: the year on either side of the first nomination."""
    named = min((row["NOMINATION_DATE"] for row in person.of("nominations")), default=None)
    if named is None:
        return []
    died, known = died_on(person), min(covered.police, covered.custody)
    since, before = after(named, -12), after(named, 12)
    earlier = _offences_in(person, since, named, after(named, 6), died)
    later = _offences_in(person, named, before, after(named, 18), died)
    said_before = status(bool(earlier), named - DAY, after(named, 6) - DAY, known, None, is_known_to_police(person))
    said_before = said_before if covered.police_since <= since else "not applicable"
    said_after = status(bool(later), before - DAY, after(named, 18) - DAY, known, died, is_known_to_police(person))
    until = max(min(before, died or before), named)
    spells = custody_of(person)
    return [
        {
            "person": person.person,
            "nomination_date": named,
            "offended_before": said_before,
            "offended_after": said_after,
            "offences_before": len(earlier) if said_before in ("yes", "no") else None,
            "offences_after": len(later) if said_after in ("yes", "no", "censored by death") else None,
            "days_at_risk_before": (named - since).days - sum(spell.nights(since, named) for spell in spells),
            "days_at_risk_after": (until - named).days - sum(spell.nights(named, until) for spell in spells),
        }
    ]


def _offences_in(person: Person, since: date, before: date, proven_before: date, died: date | None) -> list[Record]:
    return [
        row
        for row in person.of("offences")
        if since <= row["OFFENCE_DATE"] < before and row["DISPOSAL_DATE"] < proven_before and is_alive(row["OFFENCE_DATE"], died)
    ]
