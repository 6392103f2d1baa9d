"""Charts of priority offenders: rates before and after nomination, and differences from a matched comparison."""

from __future__ import annotations

from warehouse.publish.report.charts import DARK_BLUE, DARK_GREY, ORANGE, TURQUOISE, WIDTH, Rows, svg

SIDES = {"Year before": ORANGE, "Year after": DARK_BLUE}
LINKS = {"strict": "triangle-up", "balanced": "circle", "inclusive": "square"}


def around(rows: Rows) -> str:
    """Rates before and after, joined by a line: rows of `group`, `before`, `after`."""
    import altair as alt

    order = [row["group"] for row in rows]
    y = alt.Y("group:N", sort=order, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False))
    ends = [{"group": row["group"], "side": side, "rate": row[name]} for row in rows for side, name in zip(SIDES, ("before", "after"), strict=True)]
    x = alt.X("before:Q", title="Proven offences for 100 years at liberty", scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6))
    fall = alt.Chart(alt.Data(values=list(rows))).mark_rule(strokeWidth=3, color=DARK_GREY, opacity=0.4).encode(y=y, x=x, x2="after:Q")
    points = alt.Chart(alt.Data(values=ends)).mark_point(filled=True, size=110, opacity=1).encode(
        y=y, x="rate:Q",
        color=alt.Color("side:N", scale=alt.Scale(domain=list(SIDES), range=list(SIDES.values()))),
        shape=alt.Shape("side:N", scale=alt.Scale(domain=list(SIDES), range=["diamond", "circle"])),
    )  # fmt: skip
    return svg((fall + points).properties(width=WIDTH - 260, height=len(rows) * 30), "priority-around")


def differences(rows: Rows) -> str:
    """Differences with their intervals around nought: rows of `measure`, `links`, `difference`, `low`, `high`."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("measure:N", sort=None, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False)),
        yOffset=alt.YOffset("links:N", sort=list(LINKS)),
    )
    x = alt.X("low:Q", title="Difference for 100 people (line: 95 % interval)", axis=alt.Axis(tickCount=7))
    interval = base.mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, x2="high:Q")
    shape = alt.Shape("links:N", scale=alt.Scale(domain=list(LINKS), range=list(LINKS.values())), legend=alt.Legend(title="Links"))
    point = base.mark_point(filled=True, size=100, color=DARK_BLUE, opacity=1).encode(x="difference:Q", shape=shape)
    nought = alt.Chart(alt.Data(values=[{"nought": 0}])).mark_rule(color=DARK_GREY, strokeDash=[4, 3]).encode(x="nought:Q")
    measures = {row["measure"] for row in rows}
    return svg((nought + interval + point).properties(width=WIDTH - 230, height=len(measures) * 84), "priority-differences")
