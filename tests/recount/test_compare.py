"""The comparison finds what differs: a wrong answer, a row that is missing, one too many."""

from __future__ import annotations

import pandas as pd
from tests.recount.compare import differences
from tests.recount.reports import given_away

COUNTED = pd.DataFrame({"person": [1, 1, 2], "end_date": ["2024-03-15", "2025-01-01", "2024-06-10"], "alive": ["yes", "yes", "no"], "days": [3, None, None]})


def test_equal_tables_agree_in_any_order() -> None:
    assert differences(COUNTED, COUNTED.iloc[::-1]) == []


def test_a_wrong_answer_is_told_by_its_column() -> None:
    found = COUNTED.assign(alive=["yes", "not linked", "no"], days=[3, 4, None])
    assert differences(COUNTED, found) == [
        "alive: 1 rows say 'not linked' instead of 'yes'",
        "days: 1 rows say '4.0' instead of 'none'",
    ]


def test_rows_on_one_side_are_told() -> None:
    assert differences(COUNTED, COUNTED.head(2)) == ["2 rows, not 3", "1 rows are left_only"]
    assert differences(COUNTED.head(2), COUNTED) == ["3 rows, not 2", "1 rows are right_only"]


EXACT = pd.DataFrame({"year": "2024-25", "reason": ["all", "completed", "dropped out", "died"], "journeys": [62, 40, 15, 7]})


def told(*journeys: int | None) -> pd.DataFrame:
    return EXACT.assign(journeys=list(journeys))


def test_published_counts_that_keep_the_rules_pass() -> None:
    assert given_away(EXACT, told(60, 40, None, None), ["year", "reason"], ["reason"], "journeys") == []
    assert given_away(EXACT, told(None, None, None, None), ["year", "reason"], ["reason"], "journeys") == []


def test_published_counts_that_tell_too_much_are_found() -> None:
    small = EXACT.assign(journeys=[60, 40, 17, 3])
    assert given_away(EXACT, told(60, 40, 15, None), ["year", "reason"], ["reason"], "journeys") == ["withheld and given away over reason: 1"]
    assert given_away(EXACT, told(62, 30, 15, 5), ["year", "reason"], ["reason"], "journeys") == ["not rounded: 1", "far from the count: 1"]
    assert given_away(small, told(60, 40, 15, 5), ["year", "reason"], ["reason"], "journeys") == ["small and told: 1"]
    assert given_away(EXACT, EXACT.head(0), ["year", "reason"], ["reason"], "journeys")[0] == "left_only: 4"
