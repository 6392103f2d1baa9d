"""Charts of pilots: both sides over time, and the difference between them."""

from __future__ import annotations

from typing import Any

from warehouse.publish.report.charts import DARK_BLUE, DARK_GREY, ORANGE, TURQUOISE, WIDTH, Rows, svg

SIDES = {"pilot areas": DARK_BLUE, "other areas": ORANGE}


def series(rows: Rows) -> str:
    """Figures of pilot and other areas by period, a small chart for each indicator.

    Args:
        rows: `indicator`, `period_end` and `start` (ISO dates), `side` (a key of SIDES), `value`.
    """
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows)))
    x = alt.X("period_end:T", title="Period ends", axis=alt.Axis(format="%b %Y", tickCount=5, labelAngle=-35))
    y = alt.Y("value:Q", title="Figure of the areas together", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5))
    line = base.mark_line(point={"filled": True, "size": 36}, strokeWidth=1.8).encode(
        x=x, y=y, color=alt.Color("side:N", scale=alt.Scale(domain=list(SIDES), range=list(SIDES.values()))), strokeDash=alt.StrokeDash("side:N", legend=None)
    )
    return _small(base, line, "pilots-series")


def differences(rows: Rows) -> str:
    """The difference between the sides against that of the last period before the start, with 95 % intervals.

    Args:
        rows: `indicator`, `period_end` and `start` (ISO dates), `effect`, `low`, `high`.
    """
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows)))
    x = alt.X("period_end:T", title="Period ends", axis=alt.Axis(format="%b %Y", tickCount=5, labelAngle=-35))
    y = alt.Y("low:Q", title="Difference since the last period before", axis=alt.Axis(tickCount=6))
    zero = base.transform_calculate(zero="0").mark_rule(color=DARK_GREY).encode(y="zero:Q")
    interval = base.mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, y=y, y2="high:Q")
    point = base.mark_point(filled=True, size=55, color=DARK_BLUE, opacity=1).encode(x=x, y="effect:Q")
    return _small(base, zero + interval + point, "pilots-differences")


def _small(base: Any, layers: Any, name: str) -> str:
    """A chart for each indicator, with the start of the pilot; `base` holds the data of all layers."""
    import altair as alt

    start = base.mark_rule(color=DARK_GREY, strokeDash=[4, 3]).encode(x="start:T")
    small = (layers + start).properties(width=WIDTH // 2 - 70, height=190)
    return svg(small.facet(facet=alt.Facet("indicator:N", title=None), columns=2).resolve_scale(y="independent"), name)
