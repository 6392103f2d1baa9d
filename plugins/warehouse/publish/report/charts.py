"""Charts of the nightly report as inline SVG, drawn here and now: the file fetches nothing when it is opened.

Each function takes plain rows and returns an SVG element. Colours are the Analysis Function's accessible palette; no
chart relies on colour alone, and every chart has its table beside it in the report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Rows = Sequence[Row]

DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE, DARK_GREY, LILAC = "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1"
INK, GRID = "#0b0c0c", "#d9dde1"
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
WIDTH = 840
ROW_HEIGHT = 30

SEVERITIES = {"refuse": DARK_PINK, "quarantine": ORANGE, "warn": TURQUOISE}
FATES = {"admitted": DARK_BLUE, "unchanged": LILAC, "quarantined": ORANGE, "erased": DARK_GREY}

# What may differ between two SVGs in one page: the ids their clip paths and gradients are referred to by.
ID_REFERENCE = re.compile(r'(\bid="|url\(#|href="#)')
NAMESPACE = re.compile(r'\sxmlns(:\w+)?="[^"]*"')

CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "transparent",
    # Room for labels where the reader's fonts are wider than those the chart was measured with.
    "padding": {"left": 14, "right": 14, "top": 4, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK,
        "gridColor": GRID, "domainColor": "#6f777b", "tickColor": "#6f777b", "labelLimit": 340, "titlePadding": 10,
    },
    "axisY": {"labelPadding": 8},
    "header": {"labelFontSize": 13, "labelColor": INK, "labelFontWeight": "bold", "title": None},
    "legend": {
        "labelFontSize": 13, "titleFontSize": 13, "labelColor": INK, "titleColor": INK, "labelLimit": 560,
        "orient": "top", "title": None, "symbolType": "square",
    },
    "text": {"fontSize": 13, "color": INK},
}  # fmt: skip


def svg(chart: Any, name: str) -> str:
    """Draw an Altair chart as an SVG element whose ids start with `name`."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(chart.configure(**CONFIG).to_dict())
    drawn = NAMESPACE.sub("", drawn)
    return ID_REFERENCE.sub(rf"\g<1>{name}-", drawn)


def outcome_rates(rows: Rows) -> str:
    """Rates with their 95 % intervals: rows of `outcome`, `rate`, `low`, `high` (shares of 1)."""
    import altair as alt

    order = [row["outcome"] for row in rows]
    base = alt.Chart(alt.Data(values=list(rows))).encode(y=alt.Y("outcome:N", sort=order, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False)))
    x = alt.X(
        "low:Q",
        title="Share of journeys followed up (line: 95 % interval)",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=6),
    )
    interval = base.mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, x2="high:Q")
    point = base.mark_point(filled=True, size=110, color=DARK_BLUE, opacity=1).encode(x="rate:Q")
    label = base.mark_text(align="left", dx=10, fontWeight="bold").encode(x="high:Q", text=alt.Text("rate:Q", format=".1%"))
    return svg((interval + point + label).properties(width=WIDTH - 330, height=len(rows) * 34), "outcomes")


def outcome_trend(rows: Rows) -> str:
    """Rates by year with their intervals, a small chart for each outcome: rows of `outcome`, `year`, `rate`, `low`, `high`, `follow_up`."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=-40, labelFontSize=11)))
    y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=4))
    interval = base.mark_rule(strokeWidth=3, color=TURQUOISE, opacity=0.75).encode(y=y, y2="high:Q")
    line = base.mark_line(color=DARK_BLUE, strokeWidth=1.5).encode(y="rate:Q")
    point = base.mark_point(size=36, color=DARK_BLUE, opacity=1, strokeWidth=1.5).encode(
        y="rate:Q", fill=alt.condition("datum.follow_up === 'complete'", alt.value(DARK_BLUE), alt.value("white"))
    )
    small = (interval + line + point).properties(width=WIDTH // 2 - 40, height=140)
    outcomes = list(dict.fromkeys(row["outcome"] for row in rows))
    return svg(small.facet(facet=alt.Facet("outcome:N", title=None, sort=outcomes), columns=2), "trend")


def row_fates(rows: Rows) -> str:
    """What became of the rows received, as shares: rows of `feed`, `fate` and `rows`."""
    import altair as alt

    seen = {fate: colour for fate, colour in FATES.items() if any(row["fate"] == fate for row in rows)}
    chart = (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_bar(height=20)
        .encode(
            y=alt.Y("feed:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False)),
            x=alt.X("rows:Q", stack="normalize", title="Share of rows received", axis=alt.Axis(format=".0%", tickCount=5)),
            color=alt.Color("fate:N", scale=alt.Scale(domain=list(seen), range=list(seen.values()))),
            order=alt.Order("rank:Q"),
        )
        .transform_calculate(rank=f"indexof({list(FATES)}, datum.fate)")
    )
    return svg(chart.properties(width=WIDTH, height=alt.Step(ROW_HEIGHT + 4)), "fates")


def nights(rows: Rows, name: str, value: str, value_format: str, scale: str = "linear") -> str:
    """One value by night, a small chart for each feed with its own scale: rows of `feed`, `night` (ISO date) and `value`.

    Args:
        scale: `log` where one night may dwarf the others, as the first one does that brings all history.
    """
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        x=alt.X(
            "night:O",
            title=None,
            axis=alt.Axis(labelAngle=0, labelExpr="slice(datum.value, 8) + '/' + slice(datum.value, 5, 7)", labelFontSize=11),
        ),
        y=alt.Y(f"{value}:Q", scale=alt.Scale(type=scale, nice=True, zero=scale == "linear"), axis=None),
    )
    points = base.mark_point(filled=True, size=60, color=DARK_BLUE, opacity=1)
    lines = base.mark_line(color=DARK_BLUE, strokeWidth=1.5)
    labels = base.mark_text(dy=-12, fontSize=11).encode(text=alt.Text(f"{value}:Q", format=value_format))
    chart = (lines + points + labels).properties(width=WIDTH // 2 - 10, height=70).facet(facet=alt.Facet("feed:N", title=None), columns=2)
    return svg(chart.resolve_scale(y="independent"), name)


def failed_rules(rows: Rows) -> str:
    """Rows that broke each rule: rows of `rule`, `severity` and `rows`."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("rule:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=400)),
        x=alt.X("rows:Q", title="Rows", axis=alt.Axis(format="~s", tickCount=5, tickMinStep=1)),
    )
    present = [severity for severity in SEVERITIES if any(row["severity"] == severity for row in rows)]
    scale = alt.Scale(domain=present, range=[SEVERITIES[severity] for severity in present])
    bars = base.mark_bar(height=18).encode(color=alt.Color("severity:N", scale=scale))
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text("rows:Q", format=","))
    return svg((bars + labels).properties(width=WIDTH - 320, height=alt.Step(ROW_HEIGHT)), "rules")


def link_pairs(rows: Rows, feeds: Sequence[str]) -> str:
    """People found in both of two feeds, as a triangle: rows of `feed_a`, `feed_b`, `people` (null when too few) and `label`."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        x=alt.X("feed_a:N", sort=list(feeds), title=None, axis=alt.Axis(orient="bottom", labelAngle=0, domain=False, ticks=False)),
        y=alt.Y("feed_b:N", sort=list(feeds), title=None, axis=alt.Axis(domain=False, ticks=False)),
    )
    cells = base.mark_rect(stroke="white", strokeWidth=2, invalid="show").encode(
        color=alt.condition(
            "isValid(datum.people)",
            alt.Color("people:Q", scale=alt.Scale(range=["#dbe7f1", DARK_BLUE], domainMin=0), legend=None),
            alt.value("#eceef0"),
        )
    )
    top = max((row["people"] or 0 for row in rows), default=0)
    labels = base.mark_text(fontSize=14).encode(text="label:N", color=alt.condition(f"datum.people > {top * 0.45}", alt.value("white"), alt.value(INK)))
    return svg((cells + labels).properties(width=alt.Step(118), height=alt.Step(46)), "pairs")


def bars(rows: Rows, name: str, category: str, category_title: str, value: str, value_title: str) -> str:
    """Columns of one count by an ordered category, as people by their number of records."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        x=alt.X(f"{category}:O", sort=None, title=category_title, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y(f"{value}:Q", title=value_title, axis=alt.Axis(format="~s", tickCount=5)),
    )
    columns = base.mark_bar(color=DARK_BLUE, size=46)
    labels = base.mark_text(dy=-9).encode(text=alt.Text(f"{value}:Q", format=","))
    return svg((columns + labels).properties(width=WIDTH // 2, height=190), name)


def accuracy(rows: Rows) -> str:
    """Precision and recall of the warehouse beside the baseline: rows of `measure`, `method` and `value` (shares of 1)."""
    import altair as alt

    methods = list(dict.fromkeys(row["method"] for row in rows))
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("measure:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
        yOffset=alt.YOffset("method:N", sort=methods),
        x=alt.X("value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=6)),
    )
    columns = base.mark_bar(height=16).encode(color=alt.Color("method:N", sort=methods, scale=alt.Scale(domain=methods, range=[DARK_BLUE, LILAC])))
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text("value:Q", format=".1%"))
    return svg((columns + labels).properties(width=WIDTH - 130, height=alt.Step(22)), "accuracy")


def durations(rows: Rows) -> str:
    """How long each stage took: rows of `stage` and `seconds`, in the order the stages started."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("stage:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
        x=alt.X("seconds:Q", title="Seconds", axis=alt.Axis(tickCount=6)),
    )
    columns = base.mark_bar(height=16, color=DARK_BLUE)
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text("seconds:Q", format=",.1f"))
    return svg((columns + labels).properties(width=WIDTH - 120, height=alt.Step(24)), "durations")
