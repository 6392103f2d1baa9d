"""The report's section on what errors of linkage do to the headline outcomes."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.charts import DARK_BLUE, ORANGE, TURQUOISE, WIDTH, Rows, svg

TITLE = "Linkage error carried into outcomes"
TABLES = ("published_linkage_error",)
RATES = """
select
    outcome, outcome_title, breakdown, breakdown_value, basis, is_preferred, journeys, journeys_unlinked, journeys_with_outcome, linked_percent::float,
    naive_percent::float, naive_percent_strict::float, naive_percent_inclusive::float, link_precision::float, link_recall::float, adjusted_percent::float,
    adjusted_lower_95::float, adjusted_upper_95::float, note, is_suppressed
from published.published_linkage_error where cut = 'adults'
order by outcome, breakdown, breakdown_value, is_preferred desc, basis
"""
HOW_TO_READ = (
    "The naive share counts journeys of people who are not linked as without the outcome, so links that are missed make it too small and false ones too large. "
    "The share put right is of the same journeys: what rests on a link, times precision, over recall; its interval holds their errors too. "
    "Among the linked alone, missed links leave both sides of the rate, so it is shown as it is."
)


def section(connection: Connection[Any]) -> Section:
    """Naive shares beside those put right; adults, balanced links."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return draw(cursor.execute(RATES).fetchall())


def draw(rows: list[dict[str, Any]]) -> Section:
    """The section from rows of published_linkage_error, percentages as numbers."""
    if not rows:
        return Section("linkage-error", TITLE, [Note("No outcome can be told of anybody yet, so nothing can be put right.")])
    everybody = [row for row in rows if row["breakdown"] == "all"]
    shown = [row for row in everybody if row["is_preferred"] and row["adjusted_percent"] is not None]
    blocks: list[Block] = [Note(HOW_TO_READ), *_figure(shown)]
    heads = (
        "Outcome", "Precision and recall from", "#Journeys", "#Not linked", "#Among linked", "#Naive", "#Strict, inclusive", "#Precision", "#Recall",
        "#Put right", "#95 % interval",
    )  # fmt: skip
    by_sex = [row for row in rows if row["breakdown"] == "sex" and row["is_preferred"] and not row["is_suppressed"]]
    blocks.append(Table("Naive shares and shares put right", columns(*heads), [_line(row) for row in everybody]))
    if by_sex:
        blocks.append(Table("The same by sex, each put right by its own precision and recall", columns(*heads), [_line(row) for row in by_sex], is_detail=True))
    return Section("linkage-error", TITLE, blocks)


def chart(rows: Rows) -> str:
    """Naive shares and shares put right: rows of `outcome`, `naive`, `adjusted`, `low`, `high` (shares of 1)."""
    import altair as alt

    kinds = {"naive": ORANGE, "put right": DARK_BLUE}
    points = [{"outcome": row["outcome"], "kind": kind, "share": row[name]} for row in rows for kind, name in (("naive", "naive"), ("put right", "adjusted"))]
    y = alt.Y("outcome:N", sort=None, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False))
    limits = alt.Chart(alt.Data(values=list(rows))).mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round")
    x = alt.X("low:Q", title="Share of all journeys (line: 95 % interval of the share put right)", axis=alt.Axis(format=".0%", tickCount=6))
    marks = alt.Chart(alt.Data(values=points)).mark_point(filled=True, size=80, opacity=1).encode(
        y=y, x="share:Q",
        color=alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=list(kinds.values()))),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=list(kinds), range=["diamond", "circle"])),
    )  # fmt: skip
    return svg((limits.encode(y=y, x=x, x2="high:Q") + marks).properties(width=WIDTH - 340, height=len(rows) * 30), "linkage-error")


def _figure(rows: list[dict[str, Any]]) -> list[Block]:
    told = [row for row in rows if row["naive_percent"] is not None]
    if not told:
        return []
    points = [
        {
            "outcome": row["outcome_title"],
            "naive": row["naive_percent"] / 100,
            "adjusted": row["adjusted_percent"] / 100,
            "low": row["adjusted_lower_95"] / 100,
            "high": row["adjusted_upper_95"] / 100,
        }
        for row in told
    ]
    alt = "Naive and put right: " + "; ".join(f"{point['outcome']} {point['naive']:.1%} and {point['adjusted']:.1%}" for point in points) + "."
    return [Figure(chart(points), alt, f"Shares of all journeys, naive and put right for linkage (precision and recall from: {told[0]['basis']})")]


def _line(row: dict[str, Any]) -> list[str]:
    title = row["outcome_title"] if row["breakdown"] == "all" else f"{row['outcome_title']}: {row['breakdown_value']}"
    others = "" if row["naive_percent_strict"] is None else f"{row['naive_percent_strict']:.1f}, {_number(row['naive_percent_inclusive'])}"
    interval = "" if row["adjusted_percent"] is None else f"{row['adjusted_lower_95']:.1f} to {row['adjusted_upper_95']:.1f}"
    basis = row["note"] or row["basis"]
    counts = [
        "withheld" if row["journeys"] is None else f"{row['journeys']:,}",
        "under 5" if row["journeys_unlinked"] is None else f"{row['journeys_unlinked']:,}",
    ]
    shares = [_percent(row[name]) for name in ("linked_percent", "naive_percent")]
    return [title, basis, *counts, *shares, others, *(_percent(row[name]) for name in ("link_precision", "link_recall", "adjusted_percent")), interval]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
