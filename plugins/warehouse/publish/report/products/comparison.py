"""The report's section on the comparison of areas and providers."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.products import comparison_charts as charts

TITLE = "Comparison of areas and providers"
UNITS = """
select
    outcome, outcome_title, period_start, period_end, area_level, unit_code, unit_name, similar_group, journeys, journeys_with_outcome, journeys_unlinked,
    percent::float, percent_overall::float, adjusted_percent::float, adjusted_lower_95::float, adjusted_upper_95::float,
    similar_areas_adjusted_percent::float, shrunken_percent::float, shrunken_lower_95::float, shrunken_upper_95::float,
    reading, adjusted_for, warnings, note, is_suppressed
from published.published_comparison where cut = 'adults'
order by outcome, area_level, unit_name, unit_code
"""
# What is drawn: the outcome that most journeys have an answer to. The others are in the tables.
DRAWN = "successful_completion"
LEVELS = {"authority": "Authorities", "provider": "Providers"}
MOST_AREAS = 25
TABLES = ("published_comparison",)
HOW_TO_READ = (
    "Shares are what each area or provider would have with the clients of all. Inside the inner lines a unit does not differ from the others by more than "
    "chance; outside the outer ones is a reason to look, not a verdict. A unit is judged by its own clients, so a point near a line may be judged otherwise "
    "than it looks. Small areas are not ranked: their figures are drawn in towards all."
)


def section(connection: Connection[Any]) -> Section:
    """Funnels of authorities and providers, areas drawn in, and how many units lie outside; adults, balanced links."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(UNITS).fetchall()
    return draw(rows)


def draw(rows: list[dict[str, Any]]) -> Section:
    """The section from rows of published_comparison, percentages as numbers."""
    totals = [row for row in rows if row["area_level"] == "all"]
    if not totals:
        return Section("comparison", TITLE, [Note("No outcome can be told of anybody yet, so nothing can be compared.")])
    blocks: list[Block] = [
        Note(HOW_TO_READ),
        *_funnels(rows),
        *_shrunken(rows),
        Table(
            "Who lies outside the funnel",
            columns(
                "Outcome",
                "Journeys ended",
                "#Journeys",
                "#Not linked",
                "#Share of all",
                "Units",
                "#As expected",
                "#Better",
                "#Worse",
                "#Withheld",
                "Adjusted for",
            ),
            [line for total in totals for line in _summary(total, rows)],
        ),
        Table(
            "Authorities",
            columns("Outcome", "Authority", "#Journeys", "#Adjusted share", "#95 % interval", "#Similar areas", "#Drawn in", "Reading"),
            [_unit(row) for row in rows if row["area_level"] == "authority" and not row["is_suppressed"]],
            is_detail=True,
        ),
    ]
    return Section("comparison", TITLE, blocks)


def _funnels(rows: list[dict[str, Any]]) -> list[Block]:
    shown = [row for row in rows if row["outcome"] == DRAWN and row["area_level"] in LEVELS and row["adjusted_percent"] is not None]
    if not shown or shown[0]["percent_overall"] is None:
        return []
    points = [
        {
            "kind": LEVELS[row["area_level"]],
            "journeys": row["journeys"],
            "share": row["adjusted_percent"] / 100,
            "reading": row["reading"].split(", ")[-1],
            "overall": row["percent_overall"] / 100,
        }
        for row in shown
    ]
    outside = sum(point["reading"] != "as expected" for point in points)
    alt = f"{shown[0]['outcome_title']} of {len(points)} authorities and providers against their journeys; {outside} lie outside the funnel."
    return [Figure(charts.funnels(points), alt, f"{shown[0]['outcome_title']}, adjusted for case mix, with 95 and 99.8 % limits around the share of all")]


def _shrunken(rows: list[dict[str, Any]]) -> list[Block]:
    areas = [row for row in rows if row["outcome"] == DRAWN and row["area_level"] == "authority" and row["shrunken_percent"] is not None]
    largest = sorted(areas, key=lambda row: -row["journeys"])[:MOST_AREAS]
    if not largest or largest[0]["percent_overall"] is None:
        return []
    values = {
        "adjusted": "adjusted_percent",
        "shrunken": "shrunken_percent",
        "low": "shrunken_lower_95",
        "high": "shrunken_upper_95",
        "overall": "percent_overall",
    }
    points = [
        {"area": row["unit_name"]} | {name: row[column] / 100 for name, column in values.items()} for row in sorted(largest, key=lambda row: row["unit_name"])
    ]
    alt = "Shares drawn in: " + "; ".join(f"{point['area']} {point['shrunken']:.1%}" for point in points) + "."
    told = "" if len(areas) == len(largest) else f", the {MOST_AREAS} largest authorities"
    return [Figure(charts.shrunken(points), alt, f"{largest[0]['outcome_title']}: the fewer its clients, the more an area is drawn towards all{told}")]


def _summary(total: dict[str, Any], rows: list[dict[str, Any]]) -> list[list[str]]:
    """A line for each kind of unit of an outcome, or one that says why there is none."""
    period = f"{total['period_start']:%b %Y} to {total['period_end']:%b %Y}"
    share = "" if total["percent_overall"] is None else f"{total['percent_overall']:.1f} %"
    head = [total["outcome_title"], period, _count(total["journeys"]), _count(total["journeys_unlinked"]), share]
    lines = []
    for level, name in LEVELS.items():
        units = [row for row in rows if row["outcome"] == total["outcome"] and row["area_level"] == level]
        if units:
            told = [sum((row["reading"] or "").startswith(word) for row in units) for word in ("as expected", "better", "worse")]
            withheld = sum(row["is_suppressed"] for row in units)
            lines.append([*head, name, *(str(number) for number in (*told, withheld)), total["adjusted_for"] or ""])
    return lines or [[*head, total["note"] or "fewer than three units", "", "", "", "", ""]]


def _unit(row: dict[str, Any]) -> list[str]:
    interval = f"{row['adjusted_lower_95']:.1f} to {row['adjusted_upper_95']:.1f}"
    return [
        row["outcome_title"], row["unit_name"], _count(row["journeys"]), _percent(row["adjusted_percent"]), interval,
        _percent(row["similar_areas_adjusted_percent"]), _percent(row["shrunken_percent"]), row["reading"],
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _count(count: int | None) -> str:
    return "under 5" if count is None else f"{count:,}"
