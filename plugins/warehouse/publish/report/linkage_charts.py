"""Charts of the report's section on linkage, in the manner of `charts`: plain rows in, inline SVG out."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.publish.report.charts import DARK_BLUE, DARK_GREY, DARK_PINK, INK, LILAC, ORANGE, ROW_HEIGHT, TURQUOISE, WIDTH, Rows, svg

MODEL_COLOURS = (DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE, LILAC, DARK_GREY)


def completeness(rows: Rows, feeds: Sequence[str], identifiers: Sequence[str]) -> str:
    """How much of each feed has each identifier, as a table of shades: rows of `feed`, `identifier` and `share`."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        x=alt.X("identifier:N", sort=list(identifiers), title=None, axis=alt.Axis(orient="top", labelAngle=0, domain=False, ticks=False)),
        y=alt.Y("feed:N", sort=list(feeds), title=None, axis=alt.Axis(domain=False, ticks=False)),
    )
    cells = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=["#f3f4f5", DARK_BLUE]), legend=None)
    )
    labels = base.mark_text(fontSize=13).encode(
        text=alt.Text("share:Q", format=".0%"), color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value(INK))
    )
    return svg((cells + labels).properties(width=alt.Step(104), height=alt.Step(34)), "completeness")


def weights(rows: Rows, bin_bits: int) -> str:
    """Edges by match weight, stacked by model: rows of `model`, `low` (lower end of the bin, in bits) and `edges`."""
    import altair as alt

    models = sorted({row["model"] for row in rows})
    binned = [{**row, "high": row["low"] + bin_bits} for row in rows]
    chart = (
        alt.Chart(alt.Data(values=binned))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("low:Q", bin="binned", title="Match weight, in bits (the last bar: and more)", axis=alt.Axis(tickCount=12)),
            x2="high:Q",
            y=alt.Y("edges:Q", title="Edges", axis=alt.Axis(format="~s", tickCount=5, tickMinStep=1)),
            color=alt.Color("model:N", sort=models, scale=alt.Scale(domain=models, range=[MODEL_COLOURS[n % len(MODEL_COLOURS)] for n in range(len(models))])),
        )
    )
    return svg(chart.properties(width=WIDTH - 80, height=210), "weights")


def rules(rows: Rows, name: str) -> str:
    """Pairs made and edges kept by blocking rule, on a logarithmic scale: rows of `rule`, `what` and `pairs` (over 0)."""
    import altair as alt

    what = list(dict.fromkeys(row["what"] for row in rows))
    top = max(row["pairs"] for row in rows)
    scale = alt.Scale(type="log", domain=[0.8, 1.1 * top], nice=False)
    powers = [10**n for n in range(len(str(top)))]
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("rule:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=420)),
        yOffset=alt.YOffset("what:N", sort=what),
        # A bar on a logarithmic scale begins at one pair.
        x=alt.X("one:Q", title="Pairs (logarithmic scale)", scale=scale, axis=alt.Axis(format="~s", values=powers)),
    ).transform_calculate(one="0.8")  # fmt: skip
    bars = base.mark_bar(height=10).encode(x2="pairs:Q", color=alt.Color("what:N", sort=what, scale=alt.Scale(domain=what, range=[LILAC, DARK_BLUE])))
    labels = base.mark_text(align="left", dx=5, fontSize=11).encode(x="pairs:Q", text=alt.Text("pairs:Q", format=","))
    return svg((bars + labels).properties(width=WIDTH - 400, height=alt.Step(15)), name)


def groups(rows: Rows, low: float) -> str:
    """Precision and recall by group of people, one row a group: rows of `kind`, `group`, `measure` and `value` (shares of 1).

    Args:
        low: where the scale begins; gaps between groups are small beside the shares themselves.
    """
    import altair as alt

    measures = list(dict.fromkeys(row["measure"] for row in rows))
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    base = alt.Chart(alt.Data(values=list(rows))).encode(y=alt.Y("group:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, grid=True)))
    points = base.mark_point(filled=True, size=95, opacity=1).encode(
        x=alt.X("value:Q", title=None, scale=alt.Scale(domain=[low, 1], zero=False), axis=alt.Axis(format=".1%", tickCount=5)),
        color=alt.Color("measure:N", sort=measures, scale=alt.Scale(domain=measures, range=[DARK_BLUE, DARK_PINK])),
        shape=alt.Shape("measure:N", sort=measures, scale=alt.Scale(domain=measures, range=["circle", "diamond"])),
    )
    chart = points.properties(width=WIDTH - 260, height=alt.Step(ROW_HEIGHT - 6)).facet(
        row=alt.Row("kind:N", sort=kinds, title=None, header=alt.Header(labelAngle=0, labelAlign="left", labelOrient="top", labelAnchor="start"))
    )
    return svg(chart.resolve_scale(y="independent"), "groups")
