"""The report's section on prolific and other priority offenders."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.products import priority_offending_charts as charts

TITLE = "Priority offenders"
TABLES = ("published_priority_offenders", "published_priority_offenders_matched")
FOLLOWED = """
select
    cut, certainty, breakdown, breakdown_value, people, people_not_linked, people_not_yet_observable, people_compared, people_offending_before,
    people_offending_after, percent_after::float, percent_after_lower_95::float, percent_after_upper_95::float, rate_before::float, rate_after::float,
    rate_ratio::float, rate_ratio_lower_95::float, rate_ratio_upper_95::float
from published.published_priority_offenders
order by cut, certainty, breakdown, breakdown_value
"""
MATCHED = """
select
    cut, certainty, measure, unit, people_submitted, people_matched, named_value::float, comparison_value::float, difference::float,
    difference_lower_95::float, difference_upper_95::float, conclusion, note, warnings
from published.published_priority_offenders_matched
order by cut, certainty, measure
"""
NAMES = {"all": "Everybody", "M": "Men", "F": "Women"}
GROUPS = {"all": "", "strand": "", "sex": "", "age_group": "aged ", "nomination_year": "named in "}
HOW_TO_READ = (
    "People are named when they offend most, so offending falls after nomination whether or not a scheme does anything (regression to the mean). The first "
    "figure shows the fall, the second what is left of it beside people with as recent offences who were not named: only that may be put down to the scheme, "
    "and only as far as the two groups are alike."
)


def section(connection: Connection[Any]) -> Section:
    """Offending before and after nomination, and against a matched comparison."""
    with connection.cursor(row_factory=dict_row) as cursor:
        followed = cursor.execute(FOLLOWED).fetchall()
        matched = cursor.execute(MATCHED).fetchall()
    return draw(followed, matched)


def draw(followed: list[dict[str, Any]], matched: list[dict[str, Any]]) -> Section:
    """The section from the rows of the two tables, figures as numbers."""
    if not followed:
        return Section("priority-offending", TITLE, [Note("No scheme has delivered a list of priority offenders.")])
    balanced = [row for row in followed if row["cut"] == "adults" and row["certainty"] == "balanced"]
    adults = [row for kind in GROUPS for row in balanced if row["breakdown"] == kind]
    blocks: list[Block] = [
        Note(HOW_TO_READ),
        *_around(adults),
        *_compared(matched),
        Table(
            "People named, the year before and the year after",
            columns("Group", "#Named", "#Not linked", "#Not yet over", "#Compared", "#Offended after", "#Share", "#Rate before", "#Rate after", "#Ratio"),
            [_line(row) for row in [*adults, *_other_cuts(followed)] if row["people"] is not None],
        ),
        Table(
            "Against people like them who were not named",
            columns("Links", "Group", "Measure", "#Named", "#Matched", "#Value", "#Comparison", "#Difference", "#95 % interval", "Note"),
            [_matched_line(row) for row in matched],
            is_detail=True,
        ),
    ]
    return Section("priority-offending", TITLE, blocks)


def _around(adults: list[dict[str, Any]]) -> list[Block]:
    shown = [row for row in adults if row["rate_after"] is not None]
    if not shown:
        return []
    points = [{"group": _group(row), "before": row["rate_before"], "after": row["rate_after"]} for row in shown]
    alt = "; ".join(f"{point['group']}: {point['before']:.0f} before, {point['after']:.0f} after" for point in points) + "."
    return [Figure(charts.around(points), alt, "Proven offences for 100 years at liberty, the year before people were first named and the year after")]


def _compared(matched: list[dict[str, Any]]) -> list[Block]:
    shown = [row for row in matched if row["cut"] == "adults" and row["unit"] != "days" and row["difference"] is not None]
    if not shown:
        notes = sorted({row["note"] for row in matched if row["cut"] == "adults" and row["note"]})
        return [Note(f"No matched comparison: {notes[0]}.")] if notes else []
    values = {"difference": "difference", "low": "difference_lower_95", "high": "difference_upper_95"}
    points = [{"measure": row["measure"].capitalize(), "links": row["certainty"]} | {name: row[column] for name, column in values.items()} for row in shown]
    alt = "; ".join(f"{p['measure']}, {p['links']} links: {p['difference']:+.0f} ({p['low']:+.0f} to {p['high']:+.0f})" for p in points) + "."
    caption = "Those named less those they were matched to, for 100 people, in the year from the start of the next quarter"
    said = next((row["conclusion"] for row in shown if row["certainty"] == "balanced" and row["conclusion"]), None)
    return [Figure(charts.differences(points), alt, caption), *([Note(said)] if said else [])]


def _other_cuts(followed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cuts beside adults, under-18s last: they are never added to adults."""
    cuts = [row for row in followed if row["cut"] != "adults" and row["breakdown"] == "all"]
    return sorted(cuts, key=lambda row: (row["cut"] == "under 18", row["cut"]))


def _group(row: dict[str, Any]) -> str:
    if row["cut"] != "adults":
        return str(row["cut"]).capitalize()
    value = str(row["breakdown_value"])
    name = f"{GROUPS[row['breakdown']]}{NAMES.get(value, value)}"
    return name[0].upper() + name[1:]


def _line(row: dict[str, Any]) -> list[str]:
    share = "" if row["percent_after"] is None else f"{row['percent_after']:.0f} % ({row['percent_after_lower_95']:.0f} to {row['percent_after_upper_95']:.0f})"
    low, high = row["rate_ratio_lower_95"], row["rate_ratio_upper_95"]
    ratio = "" if row["rate_ratio"] is None else f"{row['rate_ratio']:.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")
    counts = [_count(row[name]) for name in ("people", "people_not_linked", "people_not_yet_observable", "people_compared", "people_offending_after")]
    return [_group(row), *counts, share, _number(row["rate_before"]), _number(row["rate_after"]), ratio]


def _matched_line(row: dict[str, Any]) -> list[str]:
    interval = "" if row["difference_lower_95"] is None else f"{row['difference_lower_95']:+.0f} to {row['difference_upper_95']:+.0f}"
    difference = "" if row["difference"] is None else f"{row['difference']:+.0f}"
    figures = [_count(row["people_submitted"]), _count(row["people_matched"]), _number(row["named_value"]), _number(row["comparison_value"])]
    notes = "; ".join(text for text in (row["note"], row["warnings"]) if text)
    return [row["certainty"], row["cut"], f"{row['measure']}, {row['unit']}", *figures, difference, interval, notes]


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
