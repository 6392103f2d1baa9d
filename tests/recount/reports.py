"""Reports: cells counted from what each person's records say, and what may be published of them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
from psycopg import sql
from tests.recount.held import Person
from tests.recount.journeys import Journey, journeys_of
from tests.recount.outcomes import Coverage, Row, after, died_on
from tests.recount.profiles import deaths

from warehouse.database import connect

DAY = timedelta(days=1)
REASONS = Path(__file__).parents[2] / "dbt_project/seeds/reference/discharge_reasons.csv"
ENGLAND = "E92000001"
WITHHELD_BELOW, ROUNDED_TO = 5, 5
Cells = list[Row]


def exit_reasons(people: Iterable[Person], covered: Coverage) -> Cells:
    """Of `rpt_exit_reasons` the rows of the country and of each provider: reasons and drug groups, and all of each."""
    groups = _groups_of_reasons()
    counted: Counter[tuple[str, ...]] = Counter()
    for person in people:
        for journey in journeys_of(person):
            if journey.end is None:
                continue
            reason = groups[journey.reason or 0]
            for place in (("country", ENGLAND, "all"), ("provider", "all", _last_provider(journey))):
                for drugs in (journey.drug_group, "all"):
                    for said in (reason, "all"):
                        counted[_financial_year(journey.end), *place, drugs, said] += 1
    return [_exit_row(cell, journeys, counted, covered) for cell, journeys in counted.items()]


def _exit_row(cell: tuple[str, ...], journeys: int, counted: Counter[tuple[str, ...]], covered: Coverage) -> Row:
    year, level, area, provider, drugs, reason = cell
    given = counted[*cell[:5], "all"] - counted[*cell[:5], "missing"]
    shown = given if reason == "all" else journeys
    return {
        "end_financial_year": year,
        "area_level": level,
        "area_code": area,
        "provider_code": provider,
        "drug_group": drugs,
        "exit_reason": reason,
        "journeys": journeys,
        "journeys_with_reason": given,
        "percent": None if reason == "missing" or not given else _rounded(Decimal(100 * shown) / given, "0.0001"),
        # The last of March's journeys may go on until the twentieth day after.
        "is_complete": date(int(year[:4]) + 1, 3, 31) + 20 * DAY <= covered.treatment,
    }


def _groups_of_reasons() -> dict[int, str]:
    with REASONS.open(encoding="utf-8", newline="") as stream:
        return {int(row["reason_code"]): "missing" if row["is_missing"] == "true" else row["reason_group"] for row in csv.DictReader(stream)}


def _last_provider(journey: Journey) -> str:
    """Of the episode with the latest triage; of several the one that ends last, then the first by partnership and provider."""
    latest = max((episode.triage, episode.end or date.max) for episode in journey.episodes)
    of_them = [episode for episode in journey.episodes if (episode.triage, episode.end or date.max) == latest]
    return min(of_them, key=lambda episode: (episode.partnership is None, episode.partnership or "", episode.provider)).provider


def _financial_year(day: date) -> str:
    first = day.year - (day.month < 4)
    return f"{first}-{(first + 1) % 100:02}"


def death_rates(people: Iterable[Person], covered: Coverage) -> Cells:
    """Of `rpt_deaths` the rows of everybody, all causes: deaths and time at risk by year and by what it was to treatment, day by day."""
    known = min(covered.treatment, covered.deaths)
    days: Counter[tuple[int, str]] = Counter()
    died: Counter[tuple[int, str]] = Counter()
    for person in people:
        journeys = journeys_of(person)
        if not journeys:
            continue
        death = died_on(person)
        for day, phase in _phases(journeys, min(known, death or known)):
            days[day.year, phase] += 1
            days[day.year, "all"] += 1
        for found in deaths(person, covered):
            if death and death <= known and found["death_class"] != "never in treatment":
                died[death.year, str(found["death_class"])] += 1
                died[death.year, "all"] += 1
    return [_death_row(year, phase, died[year, phase], days[year, phase], known) for year, phase in {**days, **died}]


def _phases(journeys: list[Journey], until: date) -> Iterable[tuple[date, str]]:
    """Each day from the first start on, and whether the person was in treatment, had left within a year, or longer ago."""
    day = min(journey.start for journey in journeys)
    while day <= until:
        begun = [journey.end or date.max for journey in journeys if journey.start <= day]
        left = max(begun)
        yield day, "in treatment" if day <= left else "within a year of leaving" if day < after(left, 12) else "later"
        day += DAY


def _death_row(year: int, phase: str, died: int, days: int, known: date) -> Row:
    years = _rounded(Decimal(days) / Decimal("365.25"), "0.1")
    return {
        "calendar_year": year,
        "treatment_phase": phase,
        "cause": "all causes",
        "breakdown": "all",
        "deaths": died,
        "person_years": years,
        "is_year_complete": date(year, 12, 31) <= known,
    }


def _rounded(value: Decimal, to: str) -> Decimal:
    return value.quantize(Decimal(to), ROUND_HALF_UP)


# The reports that are recounted: mart, which of its rows, and how.
REPORTS: dict[str, tuple[str, str, Callable[[Iterable[Person], Coverage], Cells]]] = {
    "exit reasons": ("rpt_exit_reasons", "area_level in ('country', 'provider')", exit_reasons),
    "death rates": ("rpt_deaths", "cause = 'all causes' and breakdown = 'all'", death_rates),
}


def read_report(topic: str, schema: str, columns: list[str]) -> pd.DataFrame:
    """The rows of a report that are recounted, at the balanced certainty."""
    mart, which, _ = REPORTS[topic]
    query = sql.SQL("select {} from {} where certainty = 'balanced' and " + which)
    with connect("admin") as connection:
        rows = connection.execute(query.format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, mart))).fetchall()
    return pd.DataFrame(rows, columns=columns)


def given_away(exact: pd.DataFrame, published: pd.DataFrame, keys: list[str], parts: list[str], count: str) -> list[str]:
    """What is wrong with published counts beside the exact ones, in words and counts; empty when all is well.

    Checks that every cell is there once, that what is told is rounded and near, that nothing small is told, and that no withheld count can be
    had, closely enough to be small, from the others of its line and their total.

    Args:
        exact: rows of `keys` and `count`.
        published: the same, with null where withheld.
        keys: what tells a cell.
        parts: those of the keys whose values add up to their value `all`.
    """
    both = exact.merge(published, how="outer", on=keys, suffixes=("", "_told"), indicator="side")
    wrong = Counter(f"{side}" for side in both["side"] if side != "both")
    told = both[both[f"{count}_told"].notna()]
    wrong["not rounded"] = int((told[f"{count}_told"] % ROUNDED_TO != 0).sum())
    wrong["far from the count"] = int(((told[f"{count}_told"] - told[count]).abs() > ROUNDED_TO / 2).sum())
    wrong["small and told"] = int((told[count] < WITHHELD_BELOW).sum())
    hidden = both.assign(hidden=both[f"{count}_told"].isna())
    for part in parts:
        for _, line in hidden.groupby([key for key in keys if key != part]):
            withheld = line[line["hidden"]]
            is_telling = 0 < len(withheld) < len(line) and (len(withheld) == 1 or withheld[count].sum() < WITHHELD_BELOW)
            wrong[f"withheld and given away over {part}"] += int(is_telling)
    return [f"{problem}: {cells}" for problem, cells in wrong.items() if cells]
