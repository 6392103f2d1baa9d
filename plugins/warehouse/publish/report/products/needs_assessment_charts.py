"""Charts of the needs assessment: numbers by year, and the answers of those new to treatment."""

from __future__ import annotations

from warehouse.publish.report.charts import DARK_BLUE, DARK_PINK, TURQUOISE, WIDTH, Rows, svg


def numbers(rows: Rows) -> str:
    """People by year, a line for each population: rows of `year`, `population` and `people`."""
    import altair as alt

    populations = list(dict.fromkeys(row["population"] for row in sorted(rows, key=lambda row: -row["people"])))
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("people:Q", title="People", axis=alt.Axis(format=",d", tickCount=5, tickMinStep=1)),
        color=alt.Color("population:N", scale=alt.Scale(domain=populations, range=[DARK_BLUE, TURQUOISE, DARK_PINK][: len(populations)])),
        shape=alt.Shape("population:N", scale=alt.Scale(domain=populations, range=["circle", "square", "diamond"][: len(populations)])),
    )
    lines = base.mark_line(strokeWidth=2)
    points = base.mark_point(filled=True, size=70, opacity=1)
    # Those who leave are nearly as many as those who come: the numbers of the lowest line stand below it.
    lowest = f"datum.population === '{populations[-1]}'"
    text = alt.Text("people:Q", format=",d")
    above = base.transform_filter(f"!({lowest})").mark_text(dy=-12, fontSize=11).encode(text=text, shape=alt.Shape())
    below = base.transform_filter(lowest).mark_text(dy=15, fontSize=11).encode(text=text, shape=alt.Shape())
    return svg((lines + points + above + below).properties(width=WIDTH - 200, height=220), "needs-numbers")


def answers(rows: Rows) -> str:
    """Shares with their intervals, a small chart for each panel: rows of `panel`, `answer`, `share`, `low` and `high` (shares of 1)."""
    import altair as alt

    panels = []
    for panel in dict.fromkeys(row["panel"] for row in rows):
        of_panel = [row for row in rows if row["panel"] == panel]
        base = alt.Chart(alt.Data(values=of_panel)).encode(
            y=alt.Y("answer:N", sort=[row["answer"] for row in of_panel], title=None, axis=alt.Axis(grid=False, ticks=False, domain=False))
        )
        x = alt.X("low:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=6))
        interval = base.mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, x2="high:Q")
        point = base.mark_point(filled=True, size=80, color=DARK_BLUE, opacity=1).encode(x="share:Q")
        label = base.mark_text(align="left", dx=8).encode(x="high:Q", text=alt.Text("share:Q", format=".0%"))
        panels.append((interval + point + label).properties(width=WIDTH - 330, height=alt.Step(26), title=alt.TitleParams(panel, anchor="start", fontSize=13)))
    return svg(alt.vconcat(*panels, spacing=12), "needs-answers")
