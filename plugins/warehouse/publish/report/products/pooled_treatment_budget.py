"""The report's section on the Pooled Treatment Budget: what each area would have, and what scenarios change."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.charts import DARK_BLUE, DARK_PINK, TURQUOISE, WIDTH, Rows, svg

TITLE = "Pooled Treatment Budget"
TABLES = ("published_pooled_treatment_budget",)
ALLOCATIONS = """
select
    scenario_title, total_pounds, financial_year, area_code, area_name, in_treatment, completions, percent_completed::float,
    percent_completed_lower_95::float, percent_completed_upper_95::float, by_need, by_completions, allocation, allocation_lower_95, allocation_upper_95,
    difference, note
from published.published_pooled_treatment_budget
order by scenario_position, allocation desc, area_code
"""
MOST_AREAS = 15
HOW_TO_READ = (
    "A fixed total is shared out: a fifth by people who completed drug treatment and did not come back within six months, the rest by population and people in "
    "effective treatment. One area's gain is the others' loss. Lines are the limits that chance alone sets: what an area would have had with as many in "
    "treatment and its own rate of completion, in 95 of 100 years. Shared out from published counts, which are rounded; the marts hold the exact ones."
)


def section(connection: Connection[Any]) -> Section:
    """The first scenario's pounds with the limits of chance, and what the others change."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return draw(cursor.execute(ALLOCATIONS).fetchall())


def draw(rows: list[dict[str, Any]]) -> Section:
    """The section from rows of published_pooled_treatment_budget in the order of scenarios and, in each, of pounds."""
    shared = [row for row in rows if row["allocation"] is not None]
    if not shared:
        return Section("pooled-treatment-budget", TITLE, [Note("Too few people have completed drug treatment in a year to share a budget out by them.")])
    title = shared[0]["scenario_title"]
    first = [row for row in shared if row["scenario_title"] == title]
    areas = [row["area_code"] for row in first][:MOST_AREAS]
    moved = [
        {"scenario": row["scenario_title"], "area": row["area_name"], "millions": row["difference"] / 1e6}
        for row in shared
        if row["scenario_title"] != title and row["area_code"] in areas
    ]
    more = f" The {MOST_AREAS} largest of {len(first)} are drawn." if len(first) > MOST_AREAS else ""
    blocks: list[Block] = [
        Note(HOW_TO_READ + more),
        Figure(
            allocations([_drawn(row) for row in first[:MOST_AREAS]]),
            "Pounds of each area with the limits of chance",
            f"{title}: £{first[0]['total_pounds']:,}, by treatment in {first[0]['financial_year']}",
        ),
        Figure(differences(moved), "Pounds more or less than in the first scenario, by scenario and area", f"Against “{title}”, in millions of pounds"),
        Table(
            title,
            columns("Area", "#In treatment", "#Completed, not back", "#Share", "#95 % interval", "#By need", "#By completions", "#Pounds", "#Limits of chance"),
            [_allocation(row) for row in first],
        ),
        Table(
            "What if",
            columns("Scenario", "Area", "#Pounds", "#More or less", "Remark"),
            [
                [row["scenario_title"], row["area_name"], f"{row['allocation']:,}", f"{row['difference']:+,}", row["note"] or ""]
                for row in shared
                if row["scenario_title"] != title
            ],
            is_detail=True,
        ),
    ]
    return Section("pooled-treatment-budget", TITLE, blocks)


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    pounds = {"millions": row["allocation"], "low": row["allocation_lower_95"], "high": row["allocation_upper_95"]}
    return {"area": row["area_name"]} | {name: value / 1e6 for name, value in pounds.items()}


def _allocation(row: dict[str, Any]) -> list[str]:
    return [
        row["area_name"],
        f"{row['in_treatment']:,}",
        f"{row['completions']:,}",
        f"{row['percent_completed']:.1f} %",
        f"{row['percent_completed_lower_95']:.1f} to {row['percent_completed_upper_95']:.1f}",
        f"{row['by_need']:,}",
        f"{row['by_completions']:,}",
        f"{row['allocation']:,}",
        f"{row['allocation_lower_95']:,} to {row['allocation_upper_95']:,}",
    ]


def allocations(rows: Rows) -> str:
    """Pounds with their limits: rows of `area`, `millions`, `low` and `high`."""
    import altair as alt

    base = alt.Chart(alt.Data(values=list(rows))).encode(y=alt.Y("area:N", sort=None, title=None, axis=alt.Axis(grid=False, ticks=False, domain=False)))
    x = alt.X("low:Q", title="Millions of pounds (line: limits of chance)", scale=alt.Scale(domainMin=0), axis=alt.Axis(format=",.0f", tickCount=6))
    limits = base.mark_rule(strokeWidth=4, color=TURQUOISE, opacity=0.75, strokeCap="round").encode(x=x, x2="high:Q")
    point = base.mark_point(filled=True, size=110, color=DARK_BLUE, opacity=1).encode(x="millions:Q")
    label = base.mark_text(align="left", dx=10, fontWeight="bold").encode(x="high:Q", text=alt.Text("millions:Q", format=",.1f"))
    return svg((limits + point + label).properties(width=WIDTH - 340, height=len(rows) * 34), "budget-allocations")


def differences(rows: Rows) -> str:
    """What scenarios give and take, a small chart for each: rows of `scenario`, `area` and `millions`."""
    import altair as alt

    areas = list(dict.fromkeys(row["area"] for row in rows))
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("area:N", sort=areas, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=190)),
        x=alt.X("millions:Q", title=None, axis=alt.Axis(format="+,.0f", tickCount=5)),
    )
    bars = base.mark_bar(height=16).encode(color=alt.condition("datum.millions < 0", alt.value(DARK_PINK), alt.value(DARK_BLUE)))
    small = bars.properties(width=WIDTH // 2 - 180, height=alt.Step(26))
    return svg(small.facet(facet=alt.Facet("scenario:N", title=None, sort=scenarios), columns=2), "budget-differences")
