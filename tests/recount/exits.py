"""Exit reasons: journeys that ended, counted by year, place, drug group and reason."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from tests.recount.areas import REFERENCE, place_of
from tests.recount.held import Person
from tests.recount.journeys import Journey, journeys_of
from tests.recount.outcomes import Coverage, Row
from tests.recount.rounding import rounded

DAY = timedelta(days=1)
Cell = tuple[str, ...]


def exit_reasons(people: Iterable[Person], covered: Coverage) -> list[Row]:
    """The rows of `rpt_exit_reasons`: countries, regions, authorities and providers; reasons and drug groups, and all of each."""
    groups = _groups_of_reasons()
    counted: Counter[Cell] = Counter()
    for person in people:
        for journey in journeys_of(person):
            if journey.end is not None:
                reason = groups[journey.reason or 0]
                year = _financial_year(journey.end)
                counted.update((year, *of, drugs, said) for of in _places(journey) for drugs in (journey.drug_group, "all") for said in (reason, "all"))
    return [_row(cell, journeys, counted, covered) for cell, journeys in counted.items()]


def _places(journey: Journey) -> list[Cell]:
    """Where a journey counts: level, area and provider. Of several episodes the last says where."""
    last = journey.last_episode
    place = place_of(last.authority)
    areas = [("country", place.country), ("region", place.region), ("authority", place.authority)]
    return [(level, area, "all") for level, area in areas] + [("provider", "all", last.provider)]


def _row(cell: Cell, journeys: int, counted: Counter[Cell], covered: Coverage) -> Row:
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
        "percent": None if reason == "missing" or not given else rounded(Decimal(100 * shown) / given, "0.0001"),
        # The last of March's journeys may go on until the twentieth day after.
        "is_complete": date(int(year[:4]) + 1, 3, 31) + 20 * DAY <= covered.treatment,
    }


def _groups_of_reasons() -> dict[int, str]:
    with (REFERENCE / "discharge_reasons.csv").open(encoding="utf-8", newline="") as stream:
        return {int(row["reason_code"]): "missing" if row["is_missing"] == "true" else row["reason_group"] for row in csv.DictReader(stream)}


def _financial_year(day: date) -> str:
    first = day.year - (day.month < 4)
    return f"{first}-{(first + 1) % 100:02}"
