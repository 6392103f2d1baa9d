"""The report's section on value for money: what treatment cost for each result, and the money beside the people."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.products import value_for_money_charts as charts

TITLE = "Value for money"
TABLES = ("published_value_for_money", "published_spending")
COSTS = """
select end_financial_year, breakdown, breakdown_value, outcome, outcome_title, journeys_all, journeys_linked, journeys_with_outcome,
       low_pounds, mid_pounds, high_pounds, mid_pounds_lower_95, mid_pounds_upper_95
from published.published_value_for_money
where cut = 'adults' and area_level = 'country' and area_code = 'E92000001'
order by end_financial_year, breakdown, breakdown_value, outcome
"""
SPENDING = """
select financial_year, funding_stream, pounds, people_in_treatment, people_who_completed, pounds_per_person_in_treatment, pounds_per_completion,
       pounds_per_completion_lower_95, pounds_per_completion_upper_95, is_illustrative
from published.published_spending
where area_level = 'country' and area_code = 'E92000001'
order by financial_year, funding_stream
"""
# In the order of ever harder results.
RESULTS = {
    "journey": "journey that ended",
    "successful_completion": "successful completion",
    "not_back_in_treatment_12m": "completion without return within 12 months",
    "off_drugs_off_benefit_in_work_12m": "person off drugs, off benefit and in work at 12 months",
}
DRAWN = {"journey": "Each journey", "successful_completion": "Each successful completion"}
MOST_YEARS = 6
HOW_TO_READ = (
    "Days of treatment times unit costs (a seed, with low, middle and high), for all journeys that ended in the year, the failed ones too; in pounds of the "
    "seed's price year. The range from low to high is what is not known of prices; the 95 % interval is what chance does to the middle. Pathways are not "
    "ranked: who is sent to which differs from the start. Unit costs in large part, and the spending of authorities in full, are assumptions to be "
    "replaced."
)

Row = dict[str, Any]


def section(connection: Connection[Any]) -> Section:
    """What each result cost in England, adults at balanced links, and spending by stream."""
    with connection.cursor(row_factory=dict_row) as cursor:
        costs = cursor.execute(COSTS).fetchall()
        spending = cursor.execute(SPENDING).fetchall()
    return draw(costs, spending)


def draw(costs: list[Row], spending: list[Row]) -> Section:
    """The section from rows of published_value_for_money and published_spending."""
    blocks: list[Block] = [Note(HOW_TO_READ), *_results(costs), *_spending(spending)]
    if len(blocks) == 1:
        blocks = [Note("No year is known whole yet, so nothing can be set against its cost.")]
    return Section("value-for-money", TITLE, blocks)


def _results(costs: list[Row]) -> list[Block]:
    if not costs:
        return []
    latest = {outcome: max((row["end_financial_year"] for row in costs if row["outcome"] == outcome), default=None) for outcome in RESULTS}
    shown = [row for outcome in RESULTS for row in costs if row["outcome"] == outcome and row["end_financial_year"] == latest[outcome]]
    whole = [row for row in shown if row["breakdown"] == "all"]
    points = [
        {
            "result": DRAWN[row["outcome"]],
            "pathway": "all pathways" if row["breakdown"] == "all" else row["breakdown_value"],
            "low": row["low_pounds"],
            "mid": row["mid_pounds"],
            "high": row["high_pounds"],
        }
        for row in sorted(shown, key=lambda row: (row["breakdown"] != "all", row["breakdown_value"]))
        if row["outcome"] in DRAWN and row["breakdown"] in ("all", "pathway") and row["mid_pounds"] is not None
    ]
    blocks: list[Block] = []
    if points:
        alt = "Middle cost: " + "; ".join(f"{point['result'].lower()}, {point['pathway']}, {_pounds(point['mid'])}" for point in points) + "."
        caption = f"Cost by treatment pathway, England, journeys that ended in {latest['journey']}; bars from low to high unit costs"
        blocks.append(Figure(charts.costs(points), alt, caption))
    blocks.append(
        Table(
            "Cost of each result",
            columns("For each", "Ended in", "#Journeys", "#Linked", "#With the result", "#Low", "#Middle", "#High", "#95 % interval of the middle"),
            [_cost(row, RESULTS[row["outcome"]]) for row in whole],
        )
    )
    parts = [row for row in shown if row["breakdown"] != "all" and row["mid_pounds"] is not None]
    blocks.append(
        Table(
            "Cost of each result by pathway and drug group; those withheld are left out",
            columns("For each", "Ended in", "#Journeys", "#Linked", "#With the result", "#Low", "#Middle", "#High", "#95 % interval of the middle"),
            [_cost(row, f"{RESULTS[row['outcome']]}: {row['breakdown_value']}") for row in parts],
            is_detail=True,
        )
    )
    return blocks


def _spending(spending: list[Row]) -> list[Block]:
    known = {row["financial_year"] for row in spending if row["people_in_treatment"] is not None}
    years = sorted(known)[-MOST_YEARS:]
    if not years:
        return []
    streams = [row for row in spending if row["financial_year"] in years and row["funding_stream"] != "all"]
    totals = [row for row in spending if row["financial_year"] in years and row["funding_stream"] == "all"]
    made_up = ", illustrative figures" if any(row["is_illustrative"] for row in totals) else ""
    points = [{"year": row["financial_year"], "stream": row["funding_stream"], "pounds": row["pounds"]} for row in streams]
    alt = "Spending: " + "; ".join(f"{row['financial_year']} {_pounds(row['pounds'])}" for row in totals) + "."
    return [
        Figure(charts.spending(points), alt, f"Spending by funding stream, England{made_up}"),
        Table(
            f"Spending beside people{made_up}",
            columns("Year", "#Spent", "#In treatment", "#Completed", "#For each in treatment", "#For each completion", "#95 % interval"),
            [_total(row) for row in totals],
        ),
    ]


def _cost(row: Row, name: str) -> list[str]:
    counts = [_count(row[column]) for column in ("journeys_all", "journeys_linked", "journeys_with_outcome")]
    prices = [_pounds(row[column]) for column in ("low_pounds", "mid_pounds", "high_pounds")]
    return [name, row["end_financial_year"], *counts, *prices, _interval(row["mid_pounds_lower_95"], row["mid_pounds_upper_95"])]


def _total(row: Row) -> list[str]:
    money = [_pounds(row[column]) for column in ("pounds_per_person_in_treatment", "pounds_per_completion")]
    interval = _interval(row["pounds_per_completion_lower_95"], row["pounds_per_completion_upper_95"])
    return [row["financial_year"], _pounds(row["pounds"]), _count(row["people_in_treatment"]), _count(row["people_who_completed"]), *money, interval]


def _interval(low: int | None, high: int | None) -> str:
    return "" if low is None or high is None else f"{_pounds(low)} to {_pounds(high)}"


def _pounds(pounds: int | None) -> str:
    return "" if pounds is None else f"£{pounds:,}"


def _count(count: int | None) -> str:
    return "withheld" if count is None else f"{count:,}"
