"""The report's section on needs assessment: years side by side, withheld answers, and unmet need where it is estimated."""

from __future__ import annotations

from typing import Any

from warehouse.publish.report.blocks import Figure, Note, Section, Table
from warehouse.publish.report.products.needs_assessment import draw


def answer(**changes: Any) -> dict[str, Any]:
    row = {
        "financial_year": "2024-25", "population": "new to treatment", "theme": "complexity", "measure": "housing", "category": "housing problem",
        "unit": "per cent", "people": 35, "people_in_population": 140, "value": 25.0, "lower_95": 18.6, "upper_95": 32.8,
    }  # fmt: skip
    return row | changes


def people(**changes: Any) -> dict[str, Any]:
    return answer(theme="numbers", measure="people", category="all", unit="people", people=140, value=140.0, lower_95=None, upper_95=None) | changes


def tables(section: Section) -> dict[str, Table]:
    return {block.caption: block for block in section.blocks if isinstance(block, Table)}


def test_before_any_year_is_known_there_is_a_sentence() -> None:
    assert [type(block) for block in draw([]).blocks] == [Note]
    assert [type(block) for block in draw([answer(population="using opiates or crack", theme="unmet need")]).blocks] == [Note]


def test_the_year_before_stands_beside_the_latest() -> None:
    earlier = {"financial_year": "2023-24"}
    found = tables(draw([people(), answer(), people(**earlier, people=120, value=120.0), answer(**earlier, value=None, people=None)]))
    table = found["All measures of 2024-25, England"]
    assert table.is_detail
    assert [(row[3], row[4], row[5], row[7]) for row in table.rows] == [("all", "140", "140", "120"), ("housing problem", "35", "25.0 %", "withheld")]
    assert table.columns[7].name == "2023-24"


def test_only_answers_that_say_a_need_are_drawn_and_none_that_is_withheld() -> None:
    rows = [
        people(),
        answer(),
        answer(category="no housing problem", value=75.0),
        answer(measure="mental health", category="treatment need", value=14.3),
        answer(measure="kind of substance", category="club or new drug", people=None, value=None, lower_95=None, upper_95=None),
        answer(measure="referral route", category="health", value=7.1),
    ]
    figures = [block for block in draw(rows).blocks if isinstance(block, Figure)]
    assert len(figures) == 2
    assert "health 7%" in figures[1].alt and "mental health treatment need 14%" in figures[1].alt
    assert "no housing problem" not in figures[1].alt and "club" not in figures[1].alt


def test_unmet_need_is_shown_for_each_year_that_has_an_estimate() -> None:
    unmet = {"population": "using opiates or crack", "theme": "unmet need", "category": "all"}
    users = answer(**unmet, measure="people", unit="people", people=120, people_in_population=315, value=315.0, lower_95=265.0, upper_95=390.0)
    share = answer(**unmet, measure="not in treatment", people=120, people_in_population=315, value=61.9, lower_95=54.7, upper_95=69.2)
    refused = users | {"financial_year": "2023-24", "value": None}
    found = tables(draw([people(), users, share, refused, share | {"financial_year": "2023-24", "value": None}]))
    table = next(table for caption, table in found.items() if caption.startswith("Opiate and crack users"))
    assert [list(row) for row in table.rows] == [["2024-25", "120", "315", "265 to 390", "61.9 %", "54.7 to 69.2"]]
