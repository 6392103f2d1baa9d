"""Charts of the comparison of areas and providers: funnels, and small areas drawn in."""

from __future__ import annotations

from typing import Any

import numpy as np

from warehouse.estimate.comparison import INNER, OUTER, funnel_limits
from warehouse.publish.report.charts import DARK_BLUE, DARK_GREY, ORANGE, TURQUOISE, WIDTH, Rows, svg

POINTS = 60
READINGS = {"as expected": DARK_BLUE, "outside 95 %": TURQUOISE, "outside 99.8 %": ORANGE}
SHAPES = {"as expected": "circle", "outside 95 %": "triangle-up", "outside 99.8 %": "diamond"}


def funnels(rows: Rows) -> str:
    """Adjusted shares by the number of journeys, within the limits of chance: a funnel for each kind of unit.

    Args:
        rows: `kind`, `journeys`, `share`, `reading` (a key of READINGS), `overall` (shares of 1; `overall` the same in all rows).
    """
    import altair as alt

    sizes = {str(row["kind"]): max(int(row["journeys"]), 10) for row in rows}
    lines = [line for kind in sorted(sizes) for line in _lines(kind, float(rows[0]["overall"]), max(row["journeys"] for row in rows if row["kind"] == kind))]
    # A facet wants one table of data: points and lines are told apart by what they have.
    data = alt.Data(values=[*({**row, "is_unit": True} for row in rows), *lines])
    base = alt.Chart(data)
    x = alt.X("journeys:Q", title="Journeys", axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=True))
    y = alt.Y("share:Q", title="Share, adjusted for case mix", scale=alt.Scale(domainMin=0), axis=alt.Axis(format=".0%", tickCount=6))
    dashes = alt.Scale(domain=["middle", "95 %", "99.8 %"], range=[[1, 0], [6, 3], [2, 2]])
    legend = alt.Legend(title=None, symbolType="stroke")
    limits = base.transform_filter("!datum.is_unit").mark_line(strokeWidth=1.2).encode(
        x=x, y=y, detail="line:N", color=alt.value(DARK_GREY), strokeDash=alt.StrokeDash("limit:N", scale=dashes, legend=legend),
    )  # fmt: skip
    points = base.transform_filter("datum.is_unit").mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=y,
        color=alt.Color("reading:N", scale=alt.Scale(domain=list(READINGS), range=list(READINGS.values())), legend=alt.Legend(title=None)),
        shape=alt.Shape("reading:N", scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values()))),
    )  # fmt: skip
    small = (limits + points).properties(width=WIDTH // 2 - 70, height=270)
    return svg(small.facet(facet=alt.Facet("kind:N", title=None, sort=sorted(sizes)), columns=2).resolve_scale(x="independent"), "comparison-funnels")


def shrunken(rows: Rows) -> str:
    """Areas as they are and drawn in towards all: rows of `area`, `adjusted`, `shrunken`, `low`, `high`, `overall` (shares of 1)."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(y=alt.Y("area:N", sort=None, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False)))
    x = alt.X("low:Q", title="Share (filled: drawn in, with 95 % interval; hollow: adjusted alone)", axis=alt.Axis(format=".0%", tickCount=6))
    interval = base.mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, x2="high:Q")
    own = base.mark_point(filled=False, size=70, color=DARK_BLUE, opacity=1).encode(x="adjusted:Q")
    drawn = base.mark_point(filled=True, size=90, color=DARK_BLUE, opacity=1).encode(x="shrunken:Q")
    everybody = alt.Chart(alt.Data(values=[{"overall": rows[0]["overall"]}])).mark_rule(color=DARK_GREY, strokeDash=[4, 3]).encode(x="overall:Q")
    return svg((everybody + interval + own + drawn).properties(width=WIDTH - 260, height=len(rows) * 26), "comparison-shrunken")


def _lines(kind: str, overall: float, largest: int) -> list[dict[str, Any]]:
    """The funnel of one kind of unit, for sizes from 5 to the largest; nothing where everybody or nobody has the outcome."""
    if not 0 < overall < 1:
        return []
    sizes = np.unique(np.linspace(5, max(largest, 10) * 1.05, POINTS).round())
    found = {"middle": (np.full(len(sizes), overall),), "95 %": funnel_limits(overall, sizes, INNER), "99.8 %": funnel_limits(overall, sizes, OUTER)}
    return [
        {"kind": kind, "limit": limit, "line": f"{kind} {limit} {side}", "journeys": float(size), "share": float(share), "is_unit": False}
        for limit, sides in found.items()
        for side, shares in enumerate(sides)
        for size, share in zip(sizes, shares, strict=True)
    ]
