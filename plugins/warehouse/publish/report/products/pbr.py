"""The report's section on payment by results: what outcomes would have earned, and whether the complex are taken on."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.charts import DARK_BLUE, LILAC, ORANGE, TURQUOISE, WIDTH, Rows, svg

TITLE = "Payment by results"
TABLES = ("published_pbr_payments", "published_pbr_selection")
PAYMENTS = """
select
    financial_year, cut, area_level, provider_code, domain, outcomes_paid, outcomes_answered, percent_paid::float, percent_paid_lower_95::float,
    percent_paid_upper_95::float, amount, is_complete
from published.published_pbr_payments where area_level = 'provider' or area_code = 'E92000001'
order by financial_year, cut, provider_code, domain
"""
SELECTION = """
select
    area_level, area_code, provider_code, period_start, period_end, complexity_group, referred, taken_on, percent_of_referred::float,
    percent_of_taken_on::float, difference::float, difference_lower_95::float, difference_upper_95::float, p_value::float, method, finding
from published.published_pbr_selection where cut = 'adults'
order by area_level, area_code, provider_code, complexity_position
"""
DOMAINS = {"free from dependence": DARK_BLUE, "offending": TURQUOISE, "health and wellbeing": ORANGE}
MOST_YEARS = 6
HOW_TO_READ = (
    "What outcomes would have earned had every journey been paid by results. Tariffs and complexity points are for illustration; the outcomes are "
    "those of the pilots of 2012 as remembered. An outcome is paid in the month its answer became final. Whoever the police do not know earns nothing "
    "for offending: that is not the same as having offended. England, adults; pounds to the nearest 500."
)
WITHHELD = "withheld"


def section(connection: Connection[Any]) -> Section:
    """Amounts of England by year and domain, the latest complete year by domain, cut and provider, and the check for cherry-picking."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return draw(cursor.execute(PAYMENTS).fetchall(), cursor.execute(SELECTION).fetchall())


def draw(payments: list[dict[str, Any]], selection: list[dict[str, Any]]) -> Section:
    """The section from rows of published_pbr_payments (England and providers) and published_pbr_selection (adults), percentages as numbers."""
    years = sorted({row["financial_year"] for row in payments if row["is_complete"] and row["amount"] is not None})[-MOST_YEARS:]
    if not years:
        return Section("pbr", TITLE, [Note("No year has payments that can be shown yet.")])
    latest = [row for row in payments if row["financial_year"] == years[-1]]
    drawn = [
        {"year": row["financial_year"], "domain": row["domain"], "amount": row["amount"]}
        for row in payments
        if row["area_level"] == "country" and row["cut"] == "adults" and row["domain"] in DOMAINS and row["financial_year"] in years and row["amount"]
    ]
    blocks: list[Block] = [
        Note(HOW_TO_READ),
        Figure(
            amounts(drawn),
            f"Pounds earned in England by year and domain, {years[0]} to {years[-1]}",
            "Pounds earned by the year in which the answer became final",
        ),
        Table(
            f"Earned in {years[-1]}, England",
            columns("Clients", "Domain", "#Outcomes paid", "#Of answered", "#Share", "#95 % interval", "#Pounds"),
            [_payment(row) for row in latest if row["area_level"] == "country"],
        ),
        *_selection(selection),
        Table(
            f"Earned in {years[-1]} by provider, adults",
            columns("Provider", "#Outcomes paid", "#Of answered", "#Pounds"),
            [
                [row["provider_code"], _count(row["outcomes_paid"]), _count(row["outcomes_answered"]), _count(row["amount"])]
                for row in latest
                if row["area_level"] == "provider" and row["domain"] == "all"
            ],
            is_detail=True,
        ),
    ]
    return Section("pbr", TITLE, blocks)


def _payment(row: dict[str, Any]) -> list[str]:
    share = interval = ""
    if row["percent_paid"] is not None:
        share, interval = f"{row['percent_paid']:.1f} %", f"{row['percent_paid_lower_95']:.1f} to {row['percent_paid_upper_95']:.1f}"
    return [row["cut"], row["domain"], _count(row["outcomes_paid"]), _count(row["outcomes_answered"]), share, interval, _count(row["amount"])]


def _selection(selection: list[dict[str, Any]]) -> list[Block]:
    england = [row for row in selection if row["area_code"] == "E92000001"]
    shown = [row for row in england if row["complexity_group"] != "all" and row["percent_of_taken_on"] is not None]
    if not shown:
        return []
    units = [row for row in selection if row["complexity_group"] == "all" and row["area_level"] in ("authority", "provider")]
    levels = {"authority": "Authorities", "provider": "Providers"}
    findings = list(dict.fromkeys(row["finding"] for row in units))
    whole = next(row for row in england if row["complexity_group"] == "all")
    period = f"{whole['period_start']:%B %Y} to {whole['period_end']:%B %Y}"
    bars = [
        {"group": row["complexity_group"], "people": people, "share": row[column] / 100}
        for row in shown
        for people, column in (("referred", "percent_of_referred"), ("taken on", "percent_of_taken_on"))
    ]
    return [
        Figure(
            mix(bars),
            "Complexity of those referred and of those taken on",
            f"Complexity of those referred and those taken on, England, adults triaged {period}",
        ),
        Note(f"Does who is taken on depend on complexity? {_verdict(whole)}"),
        Table(
            "Check for cherry-picking",
            columns("Units", *(f"#{finding}" for finding in findings)),
            [
                [name, *(str(sum(row["area_level"] == level and row["finding"] == finding for row in units)) for finding in findings)]
                for level, name in levels.items()
            ],
        ),
    ]


def _verdict(row: dict[str, Any]) -> str:
    if row["difference"] is None:
        return "Too few were turned away to say."
    return (
        f"The more complex (moderate and high) are taken on {abs(row['difference']):.1f} percentage points {'less' if row['difference'] < 0 else 'more'} often "
        f"than the others (95 % interval {row['difference_lower_95']:.1f} to {row['difference_upper_95']:.1f}; {row['method']} test of all four groups, "
        f"p = {row['p_value']:.3f}): {row['finding']}. People turned away before triage are in no record."
    )


def amounts(rows: Rows) -> str:
    """Pounds by year, stacked by domain: rows of `year`, `domain` and `amount`."""
    import altair as alt

    chart = (
        alt.Chart(alt.Data(values=list(rows)))
        .mark_bar(size=46)
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("amount:Q", title="Pounds", axis=alt.Axis(format="~s", tickCount=5)),
            color=alt.Color("domain:N", scale=alt.Scale(domain=list(DOMAINS), range=list(DOMAINS.values()))),
            order=alt.Order("rank:Q"),
        )
        .transform_calculate(rank=f"indexof({list(DOMAINS)}, datum.domain)")
    )
    return svg(chart.properties(width=WIDTH - 140, height=230), "pbr-amounts")


def mix(rows: Rows) -> str:
    """Shares of complexity groups beside each other: rows of `group`, `people` (referred, taken on) and `share` of 1."""
    import altair as alt

    people = ["referred", "taken on"]
    groups = list(dict.fromkeys(row["group"] for row in rows))
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("group:N", sort=groups, title=None, axis=alt.Axis(ticks=False, domain=False)),
        yOffset=alt.YOffset("people:N", sort=people),
        x=alt.X("share:Q", title="Share of all referred, of all taken on", scale=alt.Scale(domainMin=0), axis=alt.Axis(format=".0%", tickCount=6)),
    )
    columns_ = base.mark_bar(height=16).encode(color=alt.Color("people:N", sort=people, scale=alt.Scale(domain=people, range=[LILAC, DARK_BLUE])))
    labels = base.mark_text(align="left", dx=5).encode(text=alt.Text("share:Q", format=".1%"))
    return svg((columns_ + labels).properties(width=WIDTH - 180, height=alt.Step(22)), "pbr-mix")


def _count(count: int | None) -> str:
    return WITHHELD if count is None else f"{count:,}"
