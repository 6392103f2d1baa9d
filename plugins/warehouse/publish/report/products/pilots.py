"""The report's section on pilots."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.products import pilots_charts as charts

TITLE = "Pilots"
TABLES = ("published_pilots", "published_pilot_periods")
EFFECTS = """
select
    pilot, pilot_title, start_date, indicator, indicator_title, per, pilot_areas, other_areas, periods_before, periods_after, pilot_before::float,
    pilot_after::float, other_before::float, other_after::float, effect::float, lower_95::float, upper_95::float, p_placebo::float, pre_trend_p::float,
    reading, warnings, note, is_suppressed
from published.published_pilots order by start_date desc, pilot, indicator
"""
PERIODS = """
select pilot, indicator, indicator_title, start_date, period_end, phase, pilot_value::float, other_value::float, effect::float, lower_95::float, upper_95::float
from published.published_pilot_periods where not is_suppressed order by start_date desc, pilot, indicator, period_start
"""
# What is drawn: of the latest pilot with an estimate, so many indicators.
MOST_DRAWN = 2
HOW_TO_READ = (
    "What changed in pilot areas beyond what changed elsewhere. A change is claimed when its interval is clear of 0, fewer than one in twenty random choices "
    "of areas show as much, and pilot and other areas moved in step before. Periods that the start falls into are drawn and not counted."
)


def section(connection: Connection[Any]) -> Section:
    """Both sides over time and the effects, of the pilots that are listed."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return draw(cursor.execute(EFFECTS).fetchall(), cursor.execute(PERIODS).fetchall())


def draw(effects: list[dict[str, Any]], periods: list[dict[str, Any]]) -> Section:
    """The section from rows of published_pilots and published_pilot_periods, figures as numbers."""
    if not effects:
        return Section("pilots", TITLE, [Note("No pilot is listed in the seed pilots.")])
    told = [row for row in effects if row["effect"] is not None]
    blocks: list[Block] = [Note(HOW_TO_READ)]
    if told:
        drawn = [row["indicator"] for row in told if row["pilot"] == told[0]["pilot"]][:MOST_DRAWN]
        blocks += _figures(told[0], [row for row in periods if row["pilot"] == told[0]["pilot"] and row["indicator"] in drawn])
    heads = ("Pilot", "Indicator", "#Areas", "#Pilot before", "#After", "#Others before", "#After", "#Effect", "#95 % interval", "#Placebo p", "Reading")
    return Section("pilots", TITLE, [*blocks, Table("Effects of pilots", columns(*heads), [_effect(row) for row in effects])])


def _figures(pilot: dict[str, Any], periods: list[dict[str, Any]]) -> list[Block]:
    if not periods:
        return []
    dated = [
        row | {"indicator": row["indicator_title"], "period_end": row["period_end"].isoformat(), "start": row["start_date"].isoformat()} for row in periods
    ]
    sides = [
        {name: row[name] for name in ("indicator", "period_end", "start")} | {"side": f"{side} areas", "value": row[f"{side}_value"]}
        for row in dated
        for side in ("pilot", "other")
    ]
    since = [
        {name: row[name] for name in ("indicator", "period_end", "start", "effect")} | {"low": row["lower_95"], "high": row["upper_95"]}
        for row in dated
        if row["effect"] is not None
    ]
    name = f"{pilot['pilot_title']} (from {pilot['start_date']:%d %B %Y}, dashed)"
    return [
        Figure(charts.series(sides), f"Figures of pilot and other areas by period: {pilot['pilot_title']}.", f"{name}: both sides"),
        Figure(charts.differences(since), f"Differences between the sides by period: {pilot['pilot_title']}.", f"{name}: the difference, with 95 % intervals"),
    ]


def _effect(row: dict[str, Any]) -> list[str]:
    head = [row["pilot_title"], row["indicator_title"]]
    if row["effect"] is None:
        return [*head, "", "", "", "", "", "", "", "", row["note"] or "withheld"]
    levels = [f"{row[name]:,.1f}" for name in ("pilot_before", "pilot_after", "other_before", "other_after")]
    interval = f"{row['lower_95']:+,.1f} to {row['upper_95']:+,.1f}"
    return [
        *head,
        f"{row['pilot_areas']} of {row['pilot_areas'] + row['other_areas']}",
        *levels,
        f"{row['effect']:+,.1f}",
        interval,
        f"{row['p_placebo']:.2f}",
        row["reading"],
    ]
