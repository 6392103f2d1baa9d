"""Rules about a delivery as a whole: what it is compared with, the bounds, and the difference that is told."""

from typing import Any

import pytest
from tests.unit.admit.drifting import visits

from warehouse.admit.drift import ProfileRow, changes, delivery_rules
from warehouse.contracts.suite import Rule

SNAPSHOT, CHANGES = visits(), visits("changes")
pytestmark = pytest.mark.usefixtures("own_thresholds")
Rows = list[ProfileRow]


def night(rows: int = 1000, **shares: Any) -> Rows:
    """A profile: `seen=0.9` is the share filled; `answer={"DRG": 0.6}` are shares of codes."""
    measures = [ProfileRow("", "rows", "", rows), ProfileRow("", "complete", "", rows), ProfileRow("", "recent", "", rows)]
    for column, share in shares.items():
        mix = share if isinstance(share, dict) else {}
        measures += [ProfileRow(column, "filled", "", 1.0 if mix else share)] + [ProfileRow(column, "code", code, value) for code, value in mix.items()]
    return measures


def asked(now: Rows, before: list[Rows], contract: Any = SNAPSHOT) -> tuple[dict[str, Rule], dict[str, bool]]:
    """The rules by code, and whether each holds."""
    table = contract.tables["visits"]
    rules = delivery_rules(contract, table, now, before)
    values = {row.name: row.value for row in now + changes(contract, table, now, before)}
    holds = {
        rule.code: rule.kwargs.get("min_value", float("-inf")) <= values[rule.kwargs["of"]] <= rule.kwargs.get("max_value", float("inf")) for rule in rules
    }
    return {rule.code: rule for rule in rules}, holds


def test_a_first_delivery_is_compared_with_nothing() -> None:
    rules, holds = asked(night(seen=0.9, answer={"DRG": 1.0}), [])
    assert set(rules) == {"wrong_period"} and all(holds.values())


def test_the_same_again_breaks_nothing() -> None:
    same = night(seen=0.9, answer={"DRG": 0.6, "ALC": 0.4})
    rules, holds = asked(same, [same, same])
    assert {"row_count_change", "seen.completeness", "answer.completeness", "answer.code_mix"} <= set(rules)
    assert all(holds.values())


@pytest.mark.parametrize(("rows", "holds"), [(499, False), (500, True), (1500, True), (1501, False)])
def test_a_snapshot_may_lose_or_gain_the_share_that_the_thresholds_say(rows: int, holds: bool) -> None:
    rules, held = asked(night(rows), [night(1000)])
    assert held["row_count_change"] is holds
    assert rules["row_count_change"].severity == "refuse"
    assert rules["row_count_change"].message == f"{rows:,} rows of visits came, where the last admitted delivery had 1,000; 500 to 1,500 are expected"


def test_bounds_span_the_last_deliveries() -> None:
    rules, _ = asked(night(900, seen=0.5), [night(1000, seen=0.9), night(800, seen=0.7)])
    assert (rules["row_count_change"].kwargs["min_value"], rules["row_count_change"].kwargs["max_value"]) == (400, 1500)
    assert rules["seen.completeness"].kwargs["min_value"] == pytest.approx(0.5)
    assert "the last 2 admitted deliveries had it in 70.0% to 90.0%" in rules["seen.completeness"].message


def test_only_as_many_deliveries_count_as_the_thresholds_say() -> None:
    rules, _ = asked(night(1000), [night(1000), night(1000), night(1000), night(10)])
    assert rules["row_count_change"].kwargs["min_value"] == 500


def test_a_drop_in_completeness_is_told_with_both_shares() -> None:
    rules, holds = asked(night(seen=0.65), [night(seen=0.9)])
    assert not holds["seen.completeness"]
    assert (rules["seen.completeness"].severity, rules["seen.completeness"].column) == ("warn", "seen")
    assert rules["seen.completeness"].message == "SEEN is filled in 65.0% of the rows, where the last admitted delivery had it in 90.0%"


def test_a_column_can_be_left_out_of_a_check() -> None:
    rules, _ = asked(night(note=0.0, seen=1.0), [night(note=1.0, seen=1.0)])
    assert "note.completeness" not in rules and "seen.completeness" in rules


def test_a_shift_of_codes_is_measured_against_the_most_similar_delivery_and_told() -> None:
    now = night(answer={"DRG": 0.3, "ALC": 0.6, "NO": 0.1})
    rules, holds = asked(now, [night(answer={"NO": 1.0}), night(answer={"DRG": 0.6, "ALC": 0.3, "NO": 0.1})])
    assert not holds["answer.code_mix"]
    assert rules["answer.code_mix"].message.startswith("30.0% of the values of ANSWER have another code than in the mix of before; most changed: ")
    assert "DRG 30.0% (was 60.0%)" in rules["answer.code_mix"].message
    assert [row.value for row in changes(SNAPSHOT, SNAPSHOT.tables["visits"], now, [now])] == [0.0]


def test_few_rows_say_nothing_about_shares() -> None:
    small, large = night(99, seen=0.1, answer={"NO": 1.0}), night(1000, seen=0.9, answer={"DRG": 1.0})
    assert set(asked(small, [large])[0]) == {"row_count_change"}
    assert set(asked(large, [small])[0]) == {"row_count_change", "wrong_period"}


def test_the_first_delivery_of_changes_holds_all_history_and_is_no_measure() -> None:
    history, ordinary = night(100_000, seen=0.1), night(300, seen=0.9)
    assert "row_count_change" not in asked(ordinary, [history], CHANGES)[0]
    rules, holds = asked(night(300, seen=0.9), [ordinary, history], CHANGES)
    assert rules["row_count_change"].kwargs["max_value"] == 450 and all(holds.values())
    full = asked(ordinary, [ordinary, ordinary, ordinary], CHANGES)[0]
    assert "the last 3 admitted deliveries" in full["seen.completeness"].message


def test_a_quiet_night_may_be_followed_by_an_ordinary_one() -> None:
    _, holds = asked(night(90), [night(2), night(3), night(1)], CHANGES)
    assert holds["row_count_change"]


def test_rows_without_a_recent_date_are_of_another_period() -> None:
    old = [row if row.metric != "recent" else ProfileRow("", "recent", "", 0) for row in night()]
    rules, holds = asked(old, [])
    assert not holds["wrong_period"] and rules["wrong_period"].severity == "refuse"
    assert "0 of 1,000 rows of visits hold a date in the 30 days up to the night" in rules["wrong_period"].message


def unreadable(column: str, rows: int, values: int) -> Rows:
    return [ProfileRow(column, "unreadable", "", rows / values), ProfileRow(column, "unreadable_rows", "", rows)]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("seen", "SEEN looks retyped: 100% of 1,234 values are not dates written YYYY-MM-DD"),
        ("happy", "HAPPY looks retyped: 100% of 1,234 values are not Y or N"),
        ("answer", "ANSWER looks recoded: 100% of 1,234 values are not codes of the list answer"),
    ],
)
def test_a_retyped_column_is_one_clear_finding(column: str, message: str) -> None:
    rules, holds = asked(night() + unreadable(column, 1234, 1234), [])
    assert not holds[f"{column}.retyped"]
    assert (rules[f"{column}.retyped"].severity, rules[f"{column}.retyped"].message) == ("refuse", message)


def test_some_unreadable_values_are_no_retyped_column() -> None:
    assert asked(night() + unreadable("seen", 500, 1000), [])[1]["seen.retyped"]
    assert "seen.retyped" not in asked(night() + unreadable("seen", 9, 9), [])[0]


def test_a_new_code_is_told_with_its_rows() -> None:
    rules, holds = asked([*night(), ProfileRow("answer", "new_code", "GAM", 7)], [])
    assert not holds["answer.new_code"]
    assert rules["answer.new_code"].message.startswith("ANSWER holds GAM (7 rows), which the code list answer does not have")
