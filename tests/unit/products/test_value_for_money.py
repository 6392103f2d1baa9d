"""The report's section on value for money: what it shows of costs that stand, are withheld, or have no interval."""

from __future__ import annotations

from typing import Any

from warehouse.publish.report.blocks import Figure, Note, Table
from warehouse.publish.report.products.value_for_money import draw


def cost(**changes: Any) -> dict[str, Any]:
    row = {
        "end_financial_year": "2024-25", "breakdown": "all", "breakdown_value": "all", "outcome": "journey", "outcome_title": "Treatment journey",
        "journeys_all": 130, "journeys_linked": 130, "journeys_with_outcome": 130,
        "low_pounds": 2690, "mid_pounds": 3730, "high_pounds": 4930, "mid_pounds_lower_95": 3030, "mid_pounds_upper_95": 4430,
    }  # fmt: skip
    return row | changes


def spent(**changes: Any) -> dict[str, Any]:
    row = {
        "financial_year": "2024-25", "funding_stream": "all", "pounds": 924_800, "people_in_treatment": 265, "people_who_completed": 60,
        "pounds_per_person_in_treatment": 3490, "pounds_per_completion": 15_413, "pounds_per_completion_lower_95": 13_051,
        "pounds_per_completion_upper_95": 18_762, "is_illustrative": True,
    }  # fmt: skip
    return row | changes


def tables(section: Any) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def test_before_any_year_is_known_there_is_a_sentence() -> None:
    section = draw([], [])
    assert [type(block) for block in section.blocks] == [Note]


def test_each_result_is_shown_for_its_own_latest_year() -> None:
    completion = cost(outcome="successful_completion", journeys_with_outcome=60, mid_pounds=8080)
    recovery = cost(outcome="off_drugs_off_benefit_in_work_12m", end_financial_year="2023-24", journeys_with_outcome=20, mid_pounds=19_110)
    section = draw([cost(), cost(end_financial_year="2023-24", mid_pounds=1), completion, recovery], [])
    rows = tables(section)[0].rows
    assert [(row[0].split()[0], row[1], row[6]) for row in rows] == [
        ("journey", "2024-25", "£3,730"),
        ("successful", "2024-25", "£8,080"),
        ("person", "2023-24", "£19,110"),
    ]
    assert rows[0][8] == "£3,030 to £4,430"


def test_a_withheld_cost_is_neither_drawn_nor_filled_in() -> None:
    withheld = cost(breakdown="pathway", breakdown_value="inpatient", journeys_with_outcome=None, low_pounds=None, mid_pounds=None, high_pounds=None)
    without_limit = cost(breakdown="pathway", breakdown_value="prescribing", mid_pounds_lower_95=None, mid_pounds_upper_95=None)
    section = draw([cost(), withheld, without_limit], [])
    figure = next(block for block in section.blocks if isinstance(block, Figure))
    assert "prescribing" in figure.alt and "inpatient" not in figure.alt
    parts = tables(section)[1]
    assert parts.is_detail
    assert [(row[0], row[8]) for row in parts.rows] == [("journey that ended: prescribing", "")]


def test_made_up_money_says_so_and_years_without_people_are_left_out() -> None:
    section = draw([], [spent(financial_year="2013-14", people_in_treatment=None), spent(), spent(funding_stream="grant")])
    figure = next(block for block in section.blocks if isinstance(block, Figure))
    assert "illustrative" in figure.caption
    assert [row[0] for row in tables(section)[0].rows] == ["2024-25"]
    assert "illustrative" not in tables(draw([], [spent(is_illustrative=False), spent(funding_stream="grant")]))[0].caption
