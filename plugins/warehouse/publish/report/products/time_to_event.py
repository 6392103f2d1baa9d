"""The report's section on time to event: curves of adults at the balanced certainty, and their shares at 3, 6, 12 and 24 months."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns

TITLE = "Time to event"
ANCHOR = "time-to-event"
TABLES = ("published_time_to_event",)
CURVES = """
select
    event, event_title, breakdown, category, month, journeys_all, journeys_linked, percent::float, percent_lower_95::float, percent_upper_95::float,
    median_months::int, log_rank_p::float, is_headline, note
from published.published_time_to_event where cut = 'adults' and certainty = 'balanced'
order by event_title, breakdown, category, month
"""
# The breakdown that is drawn: of this event, by this.
DRAWN = ("reoffence after start", "drug group")
HEADLINES = (3, 6, 12, 24)
HOW_TO_READ = (
    "Each curve is the share to whom it has happened by so many months, of the journeys of people the agency in question knows; whoever died before can have "
    "it no more and stays in the denominator. People whose follow-up is not over are counted as long as they are followed. Shares move in steps of five "
    "people, and are withheld while fewer than five are behind them, or behind a group that could be worked out from them, so a curve may begin late or have "
    "gaps. Groups differ in more than their names: a difference is no effect."
)


def section(connection: Connection[Any]) -> Section:
    """Curves of each event, of reoffending by drug group, and a table of all groups."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return draw(cursor.execute(CURVES).fetchall())


def draw(rows: Sequence[dict[str, Any]]) -> Section:
    """The section from rows of published_time_to_event, percentages as numbers."""
    known = [row for row in rows if row["percent"] is not None]
    # Where all is withheld but the start there is no line.
    drawn = {_group(row) for row in known if row["month"]}
    shown = [row for row in known if _group(row) in drawn]
    if not shown:
        return Section(ANCHOR, TITLE, [Note("Nobody has been followed long enough for a curve that may be published.")])
    blocks: list[Block] = [Note(HOW_TO_READ)]
    everybody = [row for row in shown if row["breakdown"] == "all"]
    if everybody:
        told = "; ".join(f"{row['event_title']}: {row['percent']:.0f} % by {row['month']} months" for row in _last(everybody, "event"))
        blocks.append(Figure(overall(everybody), told, "Share to whom it has happened, with 95 % intervals; adults"))
    groups = [row for row in shown if (row["event"], row["breakdown"]) == DRAWN]
    if groups:
        p = groups[0]["log_rank_p"]
        told = "; ".join(f"{row['category']}: {row['percent']:.0f} % by {row['month']} months" for row in _last(groups, "category"))
        chance = "" if p is None else f" (log-rank test: p {'< 0.001' if p < 0.001 else f'= {p:.3f}'})"
        blocks.append(Figure(by_group(groups), told, f"{groups[0]['event_title']}, by drug group{chance}"))
    return Section(ANCHOR, TITLE, [*blocks, _table(rows, is_detail=False), _table(rows, is_detail=True)])


def overall(rows: Sequence[dict[str, Any]]) -> str:
    """A small chart for each event: the curve with its interval."""
    import altair as alt

    values = [
        {"event": row["event_title"], "month": row["month"], "share": row["percent"] / 100}
        | {"low": (row["percent_lower_95"] or 0) / 100, "high": (row["percent_upper_95"] or 0) / 100}
        for row in rows
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("month:Q", title="Months", scale=alt.Scale(domain=[0, 24]), axis=alt.Axis(values=[0, 6, 12, 18, 24]))
    )
    top = max(value["high"] for value in values)
    y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[0, top]), axis=alt.Axis(format=".0%", tickCount=5))
    band = base.mark_area(color=charts.TURQUOISE, opacity=0.3).encode(y=y, y2="high:Q")
    line = base.mark_line(color=charts.DARK_BLUE, strokeWidth=2).encode(y="share:Q")
    small = (band + line).properties(width=charts.WIDTH // 2 - 60, height=150)
    return charts.svg(small.facet(facet=alt.Facet("event:N", title=None), columns=2), ANCHOR)


def by_group(rows: Sequence[dict[str, Any]]) -> str:
    """One chart, a line for each group with its name at the end."""
    import altair as alt

    values = [{"group": row["category"], "month": row["month"], "share": row["percent"] / 100} for row in rows]
    groups = list(dict.fromkeys(value["group"] for value in values))
    colours = [charts.DARK_BLUE, charts.TURQUOISE, charts.DARK_PINK, charts.ORANGE, charts.DARK_GREY]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("month:Q", title="Months", scale=alt.Scale(domain=[0, 24]), axis=alt.Axis(values=[0, 6, 12, 18, 24])),
        y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=5)),
        color=alt.Color("group:N", scale=alt.Scale(domain=groups, range=colours[: len(groups)]), legend=None),
    )
    line = base.mark_line(strokeWidth=2).encode(strokeDash=alt.StrokeDash("group:N", sort=groups, legend=None))
    last = _last(values, "group")
    names = (
        alt.Chart(alt.Data(values=last))
        .mark_text(align="left", dx=6)
        .encode(
            x="month:Q",
            y="share:Q",
            text="group:N",
            color=alt.Color("group:N", scale=alt.Scale(domain=groups, range=colours[: len(groups)]), legend=None),
        )
    )
    return charts.svg((line + names).properties(width=charts.WIDTH - 240, height=260), f"{ANCHOR}-groups")


def _group(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["event_title"], row["breakdown"], row["category"]


def _last(rows: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The last row of each value of a column; rows stand in order of month."""
    return list({row[key]: row for row in rows}.values())


def _table(rows: Sequence[dict[str, Any]], is_detail: bool) -> Table:
    """A line for each event, or for each of their groups."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if (row["breakdown"] == "all") != is_detail:
            groups.setdefault(_group(row), []).append(row)
    names = columns("Event", "Group", "#Journeys linked", "#Linked or not", *(f"#{month} months" for month in HEADLINES), "#Half by")
    caption = "Groups at 3, 6, 12 and 24 months" if is_detail else "Shares at 3, 6, 12 and 24 months, with 95 % intervals"
    return Table(caption, names, [_line(group) for group in groups.values()], is_detail=is_detail)


def _line(rows: Sequence[dict[str, Any]]) -> list[str]:
    first = rows[0]
    at = {row["month"]: row for row in rows}
    group = "All" if first["breakdown"] == "all" else str(first["category"])
    half = "" if first["median_months"] is None else f"{first['median_months']} months"
    shares = [first["note"] or "", "", "", ""] if first["note"] else [_share(at.get(month)) for month in HEADLINES]
    return [first["event_title"], group, _count(first["journeys_linked"]), _count(first["journeys_all"]), *shares, half]


def _share(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not followed"
    if row["percent"] is None:
        return "withheld"
    return f"{row['percent']:.0f} % ({row['percent_lower_95']:.0f} to {row['percent_upper_95']:.0f})"


def _count(count: int | None) -> str:
    return "under 5" if count is None else f"{count:,}"
