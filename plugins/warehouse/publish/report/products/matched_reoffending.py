"""The report's section on reoffending against a matched comparison: differences with intervals, balance, and what may be concluded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.estimate.common import Interval
from warehouse.estimate.matched_results import Measure, Results, wording
from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns

TITLE = "Reoffending against a matched comparison"
ANCHOR = "matched-reoffending"
TABLES = ("published_matched_reoffending", "published_matched_balance")
RESULTS = """
select
    cohort, cohort_title, cut, certainty, measure, unit, people_starting, people_linked_to_police, people_submitted, people_matched,
    treated_value::float, comparison_value::float, difference::float, difference_lower_95::float, difference_upper_95::float,
    conclusion, comparison_before_matching::float, is_balanced, is_suppressed, note
from published.published_matched_reoffending
where exposure = 'treatment start'
order by cut, cohort_title, certainty, measure
"""
# The cohort whose balance is drawn and of which the standard wording speaks.
TOLD = "known to police"
BALANCE = f"""
select cohort, covariate_title, difference_before::float, difference_after::float
from published.published_matched_balance
where exposure = 'treatment start' and cohort = '{TOLD}' and cut = 'adults'
order by covariate
"""
MEASURES = ("people who reoffended", "proven reoffences", "time to first reoffence")
IMBALANCE = 0.1
HOW_TO_READ = (
    "People known to police who started treatment are compared with people like them who did not, in the twelve months after the start or after a day drawn "
    "by lot in the same quarter. An offence counts when it was proven within eighteen months. Fewer than 60 treated people, or 60 with a match, give no figure."
)


def section(connection: Connection[Any]) -> Section:
    """Results of adults, their balance, and the standard wording."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return draw(cursor.execute(RESULTS).fetchall(), cursor.execute(BALANCE).fetchall())


def draw(rows: Sequence[dict[str, Any]], balance: Sequence[dict[str, Any]]) -> Section:
    """The section from rows of published_matched_reoffending and published_matched_balance, figures as numbers."""
    if not rows:
        return Section(ANCHOR, TITLE, [Note("Nobody known to police has started treatment and been followed up, so nothing can be compared.")])
    blocks: list[Block] = [Note(HOW_TO_READ)]
    told = [row for row in rows if row["measure"] == MEASURES[0] and row["difference"] is not None]
    if told:
        said = "; ".join(f"{_name(row)}: {row['difference']:+.0f} ({row['difference_lower_95']:.0f} to {row['difference_upper_95']:.0f})" for row in told)
        caption = "People who reoffended of every 100 treated, less those of every 100 compared, with 95 % intervals; left of the line is fewer"
        blocks.append(Figure(differences(told), f"{said}.", caption))
    if balance:
        worst = max(abs(row["difference_after"]) for row in balance)
        caption = "Balance of adults known to police: standardised differences before and after matching; between the lines is balanced"
        blocks.append(Figure(love(balance), f"After matching the largest standardised difference is {worst:.2f}.", caption))
    blocks += [Note(sentence) for sentence in _wording(rows)]
    blocks += [
        _table("Results by cohort and group", [row for row in rows if row["certainty"] == "balanced"]),
        _table("Adults at the other certainties of links", [row for row in rows if row["certainty"] != "balanced"], is_detail=True),
    ]
    return Section(ANCHOR, TITLE, blocks)


def example() -> Section:
    """The section as it is drawn of made-up people with a known effect: the picture of the product's page where nobody may be shown."""
    from datetime import date

    from warehouse.products import matched_example, matched_reoffending

    made = matched_reoffending.estimate(matched_example.frames(seed=1, people=10_000), date.min)
    results = made[matched_reoffending.RESULTS.name].assign(cohort_title=lambda frame: frame["cohort"].str.capitalize(), is_suppressed=False, conclusion=None)
    balance = made[matched_reoffending.BALANCE.name].rename(columns={"title": "covariate_title"})
    adults = balance[(balance["cohort"] == TOLD) & (balance["certainty"] == "balanced")]
    rows = [{name: None if value != value else value for name, value in row.items()} for row in results.astype("object").to_dict("records")]
    return draw([{str(name): value for name, value in row.items()} for row in rows], [{str(k): v for k, v in row.items()} for row in adults.to_dict("records")])


def differences(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each cohort and certainty: the difference with its interval."""
    import altair as alt

    values = [{"who": _name(row), "value": row["difference"], "low": row["difference_lower_95"], "high": row["difference_upper_95"]} for row in rows]
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("who:N", sort=[value["who"] for value in values], title=None, axis=alt.Axis(grid=False, ticks=False, domain=False, labelLimit=360))
    )
    x = alt.X("low:Q", title="Difference per 100 people", axis=alt.Axis(tickCount=6))
    interval = base.mark_rule(strokeWidth=4, color=charts.TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, x2="high:Q")
    point = base.mark_point(filled=True, size=110, color=charts.DARK_BLUE, opacity=1).encode(x="value:Q")
    label = base.mark_text(align="left", dx=10, fontWeight="bold").encode(x="high:Q", text=alt.Text("value:Q", format="+.0f"))
    nothing = alt.Chart(alt.Data(values=[{"at": 0}])).mark_rule(color=charts.DARK_GREY, strokeDash=[4, 4]).encode(x="at:Q")
    return charts.svg((nothing + interval + point + label).properties(width=charts.WIDTH - 380, height=len(values) * 34), ANCHOR)


def love(rows: Sequence[dict[str, Any]]) -> str:
    """Standardised differences of each characteristic before and after matching."""
    import altair as alt

    names = [row["covariate_title"] for row in rows]
    values = [
        {"what": row["covariate_title"], "when": when, "value": row[column]}
        for row in rows
        for when, column in (("Before matching", "difference_before"), ("After matching", "difference_after"))
    ]
    shades = alt.Scale(domain=["Before matching", "After matching"], range=[charts.ORANGE, charts.DARK_BLUE])
    shapes = alt.Scale(domain=["Before matching", "After matching"], range=["diamond", "circle"])
    points = (
        alt.Chart(alt.Data(values=values))
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            y=alt.Y("what:N", sort=names, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=320)),
            x=alt.X("value:Q", title="Treated less others, in standard deviations", axis=alt.Axis(tickCount=6)),
            color=alt.Color("when:N", scale=shades),
            shape=alt.Shape("when:N", scale=shapes),
        )
    )
    limits = alt.Chart(alt.Data(values=[{"at": -IMBALANCE}, {"at": IMBALANCE}])).mark_rule(color=charts.DARK_GREY, strokeDash=[4, 4]).encode(x="at:Q")
    return charts.svg((limits + points).properties(width=charts.WIDTH - 340, height=alt.Step(24)), f"{ANCHOR}-balance")


def _wording(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What may and may not be concluded of adults known to police, in the standard form; why not, where there is no figure."""
    by_measure = {row["measure"]: row for row in rows if (row["cohort"], row["cut"], row["certainty"]) == (TOLD, "adults", "balanced")}
    share, often, soon = (by_measure.get(measure) for measure in MEASURES)
    if share is None or often is None:
        return []
    if share["difference"] is None:
        why = (share["note"] or "too few people reoffended, or did not, for a figure").removeprefix("refused: ")
        started = f"{_count(share['people_starting'])} started, {_count(share['people_linked_to_police'])} of them linked to police"
        return [f"Nothing may be concluded: {why} ({started}, {_count(share['people_submitted'])} known to police before)."]
    found = Results(
        share["people_matched"],
        share["people_submitted"],
        _measure(share, 100),
        _measure(often, 100),
        _measure(soon, 1) if soon and soon["difference"] is not None else None,
        bool(share["is_balanced"]),
    )
    return wording(found, "people known to police who started treatment", "a proven reoffence", "twelve months", "starting treatment")


def _measure(row: dict[str, Any], per: int) -> Measure:
    difference = Interval(row["difference"] / per, row["difference_lower_95"] / per, row["difference_upper_95"] / per)
    # Wording asks the interval whether chance explains it, never p, which is not published.
    return Measure(row["treated_value"] / per, row["comparison_value"] / per, difference, float("nan"))


def _table(caption: str, rows: Sequence[dict[str, Any]], is_detail: bool = False) -> Table:
    """A line for each measure, or one for all of them where there is no figure."""
    names = columns(
        "Cohort", "Measure", "#Started", "#Linked to police", "#In the cohort", "#With a match", "#Treated", "#Compared", "#Difference, 95 % interval"
    )
    return Table(caption, names, [_line(row) for row in rows if row["difference"] is not None or row["measure"] == MEASURES[0]], is_detail)


def _line(row: dict[str, Any]) -> list[str]:
    counts = [_count(row[name]) for name in ("people_starting", "people_linked_to_police", "people_submitted")]
    if row["difference"] is None:
        return [_name(row), "all", *counts, "", "", "", row["note"] or "withheld"]
    interval = f"{row['difference']:+.0f} ({row['difference_lower_95']:.0f} to {row['difference_upper_95']:.0f})"
    values = [f"{row['treated_value']:.0f}", f"{row['comparison_value']:.0f}"]
    return [_name(row), f"{row['measure']}, {row['unit']}", *counts, _count(row["people_matched"]), *values, interval]


def _name(row: dict[str, Any]) -> str:
    return f"{row['cohort_title']}, {row['cut']}" + ("" if row["certainty"] == "balanced" else f" ({row['certainty']} links)")


def _count(count: int | None) -> str:
    return "under 5" if count is None else f"{count:,}"
