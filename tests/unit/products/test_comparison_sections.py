"""The report's sections on comparison, linkage error and pilots: words, withheld figures, refusals, and that the charts can be drawn."""

from __future__ import annotations

from datetime import date
from typing import Any

from warehouse.publish.report.blocks import Figure, Note, Section, Table
from warehouse.publish.report.products import comparison, linkage_error, pilots

UNIT = {
    "outcome": "successful_completion", "outcome_title": "Completion", "period_start": date(2023, 1, 1), "period_end": date(2025, 12, 31),
    "area_level": "authority", "unit_code": "E1", "unit_name": "First", "similar_group": "alike",
    "journeys": 90, "journeys_with_outcome": 45, "journeys_unlinked": None, "percent": 50.0,
    "percent_overall": 47.0, "adjusted_percent": 61.0, "adjusted_lower_95": 51.0, "adjusted_upper_95": 70.0, "similar_areas_adjusted_percent": None,
    "shrunken_percent": 55.0, "shrunken_lower_95": 48.0, "shrunken_upper_95": 62.0, "reading": "better, outside 95 %", "adjusted_for": "drug group",
    "warnings": None, "note": None, "is_suppressed": False,
}  # fmt: skip
HIDDEN = dict.fromkeys(
    [name for name in UNIT if "adjusted_p" in name or "shrunken" in name or name in ("percent", "reading", "adjusted_lower_95", "adjusted_upper_95")]
)
ALL = UNIT | HIDDEN | {"area_level": "all", "unit_code": "all", "unit_name": "All", "journeys": 400}
RATE = {
    "outcome": "o", "outcome_title": "Reoffence", "breakdown": "all", "breakdown_value": "all", "basis": "known truth", "is_preferred": True, "journeys": 240,
    "journeys_unlinked": 115, "journeys_with_outcome": 30, "linked_percent": 12.5, "naive_percent": 8.5, "naive_percent_strict": 8.3,
    "naive_percent_inclusive": None, "link_precision": 99.0, "link_recall": 96.9, "adjusted_percent": 8.8, "adjusted_lower_95": 6.2,
    "adjusted_upper_95": 12.3, "note": None, "is_suppressed": False,
}  # fmt: skip
EFFECT = {
    "pilot": "p", "pilot_title": "Pilot", "start_date": date(2024, 7, 1), "indicator": "i", "indicator_title": "Indicator", "per": 100, "pilot_areas": 4,
    "other_areas": 6, "periods_before": 3, "periods_after": 6, "pilot_before": 47.3, "pilot_after": 45.4, "other_before": 45.9, "other_after": 45.1,
    "effect": -3.4, "lower_95": -14.5, "upper_95": 7.8, "p_placebo": 0.645, "pre_trend_p": 0.2, "reading": "does not show whether the pilot changed it",
    "warnings": None, "note": None, "is_suppressed": False,
}  # fmt: skip
PERIOD = {
    "pilot": "p", "indicator": "i", "indicator_title": "Indicator", "start_date": date(2024, 7, 1), "period_end": date(2024, 6, 30), "phase": "before",
    "pilot_value": 45.0, "other_value": 47.0, "effect": 0.0, "lower_95": 0.0, "upper_95": 0.0,
}  # fmt: skip


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def figures(section: Section) -> list[Figure]:
    return [block for block in section.blocks if isinstance(block, Figure)]


def test_nothing_to_compare_is_a_sentence() -> None:
    for section in (comparison.draw([]), linkage_error.draw([]), pilots.draw([], [])):
        (block,) = section.blocks
        assert isinstance(block, Note)


def test_units_are_drawn_counted_and_told_unless_they_are_withheld() -> None:
    withheld = UNIT | HIDDEN | {"unit_code": "E2", "unit_name": "Second", "is_suppressed": True}
    section = comparison.draw([ALL, UNIT, withheld])
    summary, units = tables(section)
    head = ["Completion", "Jan 2023 to Dec 2025", "400", "under 5", "47.0 %"]
    assert summary.rows == [[*head, "Authorities", "0", "1", "0", "1", "drug group"]]
    assert units.rows == [["Completion", "First", "90", "61.0 %", "51.0 to 70.0", "", "55.0 %", "better, outside 95 %"]]
    funnels, drawn_in = figures(section)
    assert "1 lie outside the funnel" in funnels.alt
    assert "First 55.0%" in drawn_in.alt and "Second" not in drawn_in.alt


def test_a_refusal_is_told_in_the_place_of_units() -> None:
    section = comparison.draw([ALL | {"note": "refused: fewer than 60 journeys", "percent_overall": None}])
    assert tables(section)[0].rows[0][4:6] == ["", "refused: fewer than 60 journeys"]
    assert not figures(section)


def test_rates_are_told_beside_those_put_right() -> None:
    other = RATE | {"basis": "model weights", "is_preferred": False}
    withheld: dict[str, Any] = RATE | dict.fromkeys(["journeys", "linked_percent", "naive_percent", "adjusted_percent"]) | {"outcome_title": "Small"}
    section = linkage_error.draw([RATE, other, withheld])
    (table,) = tables(section)
    assert table.rows[0] == ["Reoffence", "known truth", "240", "115", "12.5 %", "8.5 %", "8.3, ", "99.0 %", "96.9 %", "8.8 %", "6.2 to 12.3"]
    assert table.rows[2][2] == "withheld" and table.rows[2][-2:] == ["", ""]
    (figure,) = figures(section)
    assert figure.alt == "Naive and put right: Reoffence 8.5% and 8.8%."


def test_pilots_show_both_sides_and_say_why_there_is_no_estimate() -> None:
    refused = EFFECT | dict.fromkeys(["effect", "lower_95", "upper_95", "p_placebo", "reading"]) | {"indicator": "j", "note": "refused: too few"}
    section = pilots.draw([EFFECT, refused], [PERIOD, PERIOD | {"period_end": date(2025, 6, 30), "effect": -2.0, "lower_95": -9.0, "upper_95": 5.0}])
    (table,) = tables(section)
    assert table.rows[0][2:] == ["4 of 10", "47.3", "45.4", "45.9", "45.1", "-3.4", "-14.5 to +7.8", "0.65", "does not show whether the pilot changed it"]
    assert table.rows[1][-1] == "refused: too few"
    assert len(figures(section)) == 2
