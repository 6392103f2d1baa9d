"""The report's section on indicators: figures in the words of their measure, nothing of what is withheld."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from warehouse.publish.indicator_facts import ExitShare, IndicatorFigure, Indicators
from warehouse.publish.report.blocks import Note, Table
from warehouse.publish.report.indicator_section import indicator_section

SHARE = IndicatorFigure(
    "completion_opiate", "Completions", "proportion", 100, "rolling 12 months", date(2024, 10, 1), date(2025, 9, 30),
    8.6, 8.1, 9.1, 12_340, 12_400, "improving", 12, 120, 8,
)  # fmt: skip


def tables(found: Indicators) -> list[Table]:
    return [block for block in indicator_section(found).blocks if isinstance(block, Table)]


def test_a_figure_is_told_with_its_interval_denominators_and_spread() -> None:
    (table,) = tables(Indicators((SHARE,)))
    expected = ["Completions", "Oct 2024 to Sep 2025", "8.6 %", "8.1 to 9.1", "12,340", "12,400", "improving", "12 better, 120 similar, 8 worse"]
    assert table.rows == [expected]


def test_rates_say_what_they_are_of_and_means_do_not() -> None:
    rate = replace(SHARE, measure="population rate", per=100_000, value=5.2)
    mean = replace(SHARE, measure="mean", per=1, value=-7.5, lower=None)
    (table,) = tables(Indicators((rate, mean)))
    assert [row[2] for row in table.rows] == ["5.2 per 100,000", "-7.5"]
    assert table.rows[1][3] == ""


def test_what_is_withheld_says_so() -> None:
    withheld = replace(SHARE, value=None, lower=None, upper=None, units=None, direction=None, better=0, similar=0, worse=0)
    (table,) = tables(Indicators((withheld,)))
    assert table.rows[0][2:] == ["withheld", "withheld", "withheld", "12,400", "", ""]


def test_exit_reasons_follow_the_indicators() -> None:
    exits = (ExitShare("2024-25", "dropped out", "incomplete", 1_205, 28.0), ExitShare("2024-25", "missing", "unknown", None, None))
    _, table = tables(Indicators((SHARE,), exits))
    assert table.caption == "Why treatment ended in 2024-25; percentages are of journeys with a reason"
    assert table.rows == [["dropped out", "incomplete", "1,205", "28.0 %"], ["missing", "unknown", "withheld", ""]]


def test_nothing_to_tell_is_a_sentence() -> None:
    (block,) = indicator_section(Indicators()).blocks
    assert isinstance(block, Note)
