"""Charts of value for money: the range of costs by pathway, and spending by stream."""

from __future__ import annotations

from warehouse.publish.report.charts import DARK_BLUE, LILAC, ORANGE, TURQUOISE, WIDTH, Rows, svg

STREAM_COLOURS = (DARK_BLUE, TURQUOISE, ORANGE, LILAC)


def costs(rows: Rows) -> str:
    """Costs from low to high with the middle marked: rows of `result`, `pathway`, `low`, `mid` and `high` (pounds). A small chart for each result."""
    import altair as alt

    results = list(dict.fromkeys(row["result"] for row in rows))
    pathways = list(dict.fromkeys(row["pathway"] for row in rows))
    base = alt.Chart(alt.Data(values=list(rows))).encode(y=alt.Y("pathway:N", sort=pathways, title=None, axis=alt.Axis(ticks=False, domain=False)))
    x = alt.X("low:Q", title="Pounds", scale=alt.Scale(zero=True), axis=alt.Axis(format=",d", tickCount=4))
    span = base.mark_bar(height=12, color=TURQUOISE, opacity=0.75).encode(x=x, x2="high:Q")
    middle = base.mark_point(filled=True, size=90, color=DARK_BLUE, opacity=1).encode(x="mid:Q")
    label = base.mark_text(align="left", dx=6).encode(x="high:Q", text=alt.Text("mid:Q", format=",d"))
    small = (span + middle + label).properties(width=(WIDTH - 330) // 2 + 60, height=alt.Step(34))
    return svg(small.facet(facet=alt.Facet("result:N", title=None, sort=results), columns=2).resolve_scale(x="independent"), "vfm-costs")


def spending(rows: Rows) -> str:
    """Money by year and stream, stacked: rows of `year`, `stream` and `pounds`."""
    import altair as alt

    streams = list(dict.fromkeys(row["stream"] for row in rows))
    chart = (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_bar(size=46, stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("pounds:Q", title="Pounds", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color("stream:N", scale=alt.Scale(domain=streams, range=list(STREAM_COLOURS[: len(streams)]))),
        )
    )
    return svg(chart.properties(width=WIDTH // 2 + 100, height=200), "vfm-spending")
