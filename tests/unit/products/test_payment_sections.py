"""The report's sections on payment by results and the Pooled Treatment Budget: figures, tables, and what they say when there is nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

from warehouse.publish.report.blocks import Block, Figure, Note, Table
from warehouse.publish.report.products import pbr, pooled_treatment_budget


def payment(domain: str, paid: int | None, amount: int | None, level: str = "country", provider: str = "all", year: str = "2025-26") -> dict[str, Any]:
    share = None if paid is None else 50.0
    return {
        "financial_year": year, "cut": "adults", "area_level": level, "provider_code": provider, "domain": domain, "outcomes_paid": paid,
        "outcomes_answered": None if paid is None else 2 * paid, "percent_paid": share, "percent_paid_lower_95": share, "percent_paid_upper_95": share,
        "amount": amount, "is_complete": year < "2026-27",
    }  # fmt: skip


def unit(group: str, share: float, level: str = "country", area: str = "E92000001", difference: float | None = -4.0) -> dict[str, Any]:
    return {
        "area_level": level, "area_code": area, "provider_code": "all", "period_start": date(2023, 8, 11), "period_end": date(2026, 8, 10),
        "complexity_group": group, "percent_of_referred": share, "percent_of_taken_on": share, "difference": difference,
        "difference_lower_95": difference, "difference_upper_95": difference, "p_value": None if difference is None else 0.02, "method": "exact",
        "finding": "no difference shown",
    }  # fmt: skip


def notes(blocks: list[Block]) -> str:
    return " ".join(block.text for block in blocks if isinstance(block, Note))


PAYMENTS = [
    payment("all", 20, 9000),
    payment("offending", 15, 3000),
    payment("health and wellbeing", None, None),
    payment("all", 10, 4500, "provider", "N0001"),
    payment("all", 5, 500, year="2026-27"),
]
SELECTION = [unit("all", 100.0), unit("low", 60.0), unit("high", 40.0), unit("all", 100.0, "authority", "E1")]


def test_payments_are_told_by_domain_and_provider() -> None:
    section = pbr.draw(PAYMENTS, SELECTION)
    tables = {block.caption: block for block in section.blocks if isinstance(block, Table)}
    assert sum(isinstance(block, Figure) for block in section.blocks) == 2
    assert tables["Earned in 2025-26, England"].rows[2] == ["adults", "health and wellbeing", "withheld", "withheld", "", "", "withheld"]
    assert tables["Earned in 2025-26 by provider, adults"].rows == [["N0001", "10", "20", "4,500"]]
    assert tables["Check for cherry-picking"].rows == [["Authorities", "1"], ["Providers", "0"]]
    assert "4.0 percentage points less often" in notes(list(section.blocks))


def test_few_turned_away_and_no_selection() -> None:
    few = [row | {"difference": None} for row in SELECTION]
    assert "Too few were turned away" in notes(list(pbr.draw(PAYMENTS, few).blocks))
    assert sum(isinstance(block, Figure) for block in pbr.draw(PAYMENTS, []).blocks) == 1


def allocation(scenario: str, area: str, pounds: int | None, difference: int) -> dict[str, Any]:
    return {
        "scenario_title": scenario, "total_pounds": 1_000_000, "financial_year": "2025-26", "area_code": area, "area_name": area,
        "in_treatment": 100, "completions": 10, "percent_completed": 10.0, "percent_completed_lower_95": 5.5, "percent_completed_upper_95": 17.4,
        "by_need": pounds, "by_completions": 0, "allocation": pounds, "allocation_lower_95": pounds, "allocation_upper_95": pounds,
        "difference": difference, "note": "",
    }  # fmt: skip


def test_the_budget_is_drawn_with_its_scenarios() -> None:
    rows = [allocation("As it was", "A", 600_000, 0), allocation("As it was", "B", 400_000, 0)]
    rows += [allocation("What if", "A", 500_000, -100_000), allocation("What if", "B", 500_000, 100_000)]
    section = pooled_treatment_budget.draw(rows)
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert sum(isinstance(block, Figure) for block in section.blocks) == 2
    assert [row[0] for row in tables[0].rows] == ["A", "B"]
    assert tables[1].rows[0] == ["What if", "A", "500,000", "-100,000", ""]


def test_nothing_to_show_is_said() -> None:
    for section in (pbr.draw([], []), pooled_treatment_budget.draw([]), pooled_treatment_budget.draw([allocation("As it was", "A", None, 0)])):
        assert [type(block) for block in section.blocks] == [Note]
