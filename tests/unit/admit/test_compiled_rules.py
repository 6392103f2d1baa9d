"""Rules as SQL: which rows each expectation lets pass, and that a rule nobody could ask is an error."""

from datetime import date
from typing import Any

import duckdb
import pytest

from warehouse.contracts.compile import across_checks, check, row_checks
from warehouse.contracts.load import ContractError, load_contract
from warehouse.contracts.model import Suite
from warehouse.contracts.predicates import rows_of
from warehouse.contracts.suite import Rule, as_document, build

D = date.fromisoformat
# Every row: number, a, b (texts), n, m (numbers), s, e (dates).
ROWS = [
    (1, "x", "x", 1, 2, D("2024-01-01"), D("2024-01-31")),
    (2, "Y1", "z", 5, 5, D("2024-02-01"), None),
    (3, None, "z", None, 3, None, D("2024-03-01")),
    (4, None, None, None, None, None, None),
    (5, "xx", "y", 9, 1, D("2024-05-02"), D("2024-05-01")),
]


def failing(
    expectation: str, rows: list[tuple[Any, ...]] = ROWS, layout: str = "a varchar, b varchar, n integer, m integer, s date, e date", **kwargs: Any
) -> list[int]:
    """Numbers of the rows that fail a rule, of a table with this layout."""
    rule = Rule("a_rule", None, expectation, kwargs, "quarantine", "A message")
    with duckdb.connect() as session:
        session.execute(f"create table asked (_row_number bigint, {layout})")
        session.executemany(f"insert into asked values ({', '.join('?' * len(rows[0]))})", rows)
        session.execute(f"create table {rows_of('others')} (key varchar, other varchar)")
        session.execute(f"insert into {rows_of('others')} values ('x', 'x'), ('Y1', 'q'), (null, 'z')")
        found = [f"select _row_number from asked where {compiled.broken}" for compiled in row_checks([rule])]
        found += [compiled.broken for compiled in across_checks([rule])]
        (query,) = found
        return sorted(number for (number,) in session.execute(query).fetchall())


@pytest.mark.parametrize(
    ("expectation", "kwargs", "numbers"),
    [
        ("expect_column_values_to_not_be_null", {"column": "a"}, [3, 4]),
        ("expect_column_values_to_be_null", {"column": "a"}, [1, 2, 5]),
        ("expect_column_values_to_be_in_set", {"column": "a", "value_set": ["x", "Y1"]}, [5]),
        ("expect_column_values_to_be_in_set", {"column": "n", "value_set": [1, 5]}, [5]),
        ("expect_column_values_to_not_be_in_set", {"column": "a", "value_set": ["x", "it's"]}, [1]),
        ("expect_column_values_to_match_regex", {"column": "a", "regex": "^[A-Z][0-9]$"}, [1, 5]),
        ("expect_column_values_to_match_regex", {"column": "a", "regex": "x"}, [2]),
        ("expect_column_values_to_not_match_regex", {"column": "a", "regex": "x$"}, [1, 5]),
        ("expect_column_values_to_match_regex_list", {"column": "a", "regex_list": ["^x$", "Y"]}, [5]),
        ("expect_column_values_to_match_regex_list", {"column": "a", "regex_list": ["x", "^.$"], "match_on": "all"}, [2, 5]),
        ("expect_column_values_to_be_between", {"column": "n", "min_value": 5}, [1]),
        ("expect_column_values_to_be_between", {"column": "n", "min_value": 1, "max_value": 5, "strict_min": True}, [1, 5]),
        ("expect_column_values_to_be_between", {"column": "n", "max_value": 9, "strict_max": True}, [5]),
        ("expect_column_values_to_be_between", {"column": "s", "min_value": D("2024-02-01")}, [1]),
        ("expect_column_values_to_be_between", {"column": "s", "max_value": "2024-02-01"}, [5]),
        ("expect_column_value_lengths_to_be_between", {"column": "a", "max_value": 1}, [2, 5]),
        ("expect_column_value_lengths_to_equal", {"column": "a", "value": 2}, [1]),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "e", "column_B": "s", "ignore_row_if": "either_value_is_missing"}, [5]),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "m", "column_B": "n", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
            [5],
        ),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "m", "column_B": "n", "ignore_row_if": "either_value_is_missing"}, [2, 5]),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "e", "column_B": "s"}, [2, 3, 5]),
        ("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": "either_value_is_missing"}, [2, 5]),
        ("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": "neither"}, [2, 3, 4, 5]),
        ("expect_column_pair_values_to_be_in_set", {"column_A": "a", "column_B": "b", "value_pairs_set": [["x", "x"], ["Y1", "z"]]}, [3, 5]),
        ("expect_multicolumn_sum_to_equal", {"column_list": ["n", "m"], "sum_total": 10, "ignore_row_if": "any_value_is_missing"}, [1]),
        ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["a", "b"]}, [1]),
        ("expect_rows_to_meet", {"condition": "n < m or a = 'Y1'"}, [5]),
        ("expect_rows_to_meet", {"condition": "s <= date '2024-02-01'", "column": "s"}, [5]),
        ("expect_column_values_to_be_unique", {"column": "b"}, [2, 3]),
        ("expect_compound_columns_to_be_unique", {"column_list": ["b", "e"]}, []),
        ("expect_key_to_exist", {"columns": ["a"], "in_table": "others", "in_columns": ["key"]}, [5]),
        ("expect_key_to_exist", {"columns": ["a", "b"], "in_table": "others", "in_columns": ["key", "other"]}, [2, 5]),
    ],
)
def test_which_rows_fail(expectation: str, kwargs: dict[str, Any], numbers: list[int]) -> None:
    assert failing(expectation, **kwargs) == numbers


def spells(*spans: tuple[str, str | None, str | None]) -> list[int]:
    rows = [(number, who, start and D(start), end and D(end)) for number, (who, start, end) in enumerate(spans, start=1)]
    return failing("expect_spells_not_to_overlap", rows, "who varchar, s date, e date", within=["who"], start="s", end="e")


def test_of_two_spells_that_overlap_the_later_fails() -> None:
    assert spells(("a", "2024-01-01", "2024-01-31"), ("a", "2024-01-30", "2024-02-10"), ("b", "2024-01-15", "2024-01-20")) == [2]
    assert spells(("a", "2024-01-30", "2024-02-10"), ("a", "2024-01-01", "2024-01-31")) == [1]


def test_spells_that_meet_on_a_day_do_not_overlap() -> None:
    assert spells(("a", "2024-01-01", "2024-01-31"), ("a", "2024-01-31", "2024-02-10"), ("a", "2024-02-10", None)) == []


def test_a_spell_overlaps_with_any_earlier_one_that_still_lasts() -> None:
    assert spells(("a", "2024-01-01", None), ("a", "2024-03-01", "2024-03-02"), ("a", "2025-01-01", "2025-02-01")) == [2, 3]
    assert spells(("a", "2024-01-01", "2024-12-31"), ("a", "2024-03-01", "2024-03-02"), ("a", "2024-06-01", "2024-06-02")) == [2, 3]


def test_spells_that_cannot_be_placed_in_time_overlap_with_nothing() -> None:
    assert spells(("a", None, None), ("a", "2024-03-02", "2024-03-01"), ("a", "2024-01-01", "2024-12-31"), ("b", "2024-02-01", None)) == []


def test_a_missing_kind_is_a_kind_of_its_own_but_a_missing_person_is_nobody() -> None:
    january, february = D("2024-01-01"), D("2024-02-01")
    rows = [(1, "a", None, january), (2, "a", None, february), (3, "a", "k", february), (4, None, "k", january), (5, None, "k", february)]
    spells_still_open = [(*row, None) for row in rows]
    layout = "who varchar, kind varchar, s date, e date"
    assert failing("expect_spells_not_to_overlap", spells_still_open, layout, within=["who", "kind"], start="s", end="e") == [2]


TREATMENT = load_contract("treatment")


def suite(feed_table: str, expectation: str, **kwargs: Any) -> Suite:
    rule = {"rule": "a_rule", "expectation": expectation, "kwargs": kwargs, "severity": "warn", "message": "m", "reason": "r"}
    return Suite.model_validate({"tables": [{"table": feed_table, "expectations": [rule]}]})


@pytest.mark.parametrize(
    ("expectation", "kwargs", "fault"),
    [
        (
            "expect_column_kl_divergence_to_be_less_than",
            {"column": "sex"},
            "asks for expect_column_kl_divergence_to_be_less_than, which cannot be asked of rows",
        ),
        ("expect_rows_to_meat", {"condition": "true"}, "asks for expect_rows_to_meat"),
        ("expect_column_values_to_be_in_set", {"column": "sex"}, "does not fit expect_column_values_to_be_in_set: missing a required argument: 'value_set'"),
        ("expect_column_values_to_be_null", {"column": "sex", "mostly": 0.9}, "unexpected keyword argument 'mostly'"),
        ("expect_rows_to_meet", {"condition": "sex = "}, "a_rule does not fit the table: Parser Error"),
        ("expect_rows_to_meet", {"condition": "dob > sax"}, 'a_rule does not fit the table: Binder Error: Referenced column "sax"'),
        ("expect_column_values_to_match_regex", {"column": "dob", "regex": "x"}, "a_rule does not fit the table: Binder Error"),
        ("expect_column_values_to_match_regex", {"column": "la", "regex": "(?=x)"}, "a_rule does not fit the table"),
        ("expect_column_pair_values_to_be_equal", {"column_A": "la", "column_B": "dat", "ignore_row_if": "maybe"}, "ignore_row_if must be one of"),
        ("expect_key_to_exist", {"columns": ["la"], "in_table": "ndtms", "in_columns": ["la", "dat"]}, "as many in_columns as columns"),
        ("expect_key_to_exist", {"columns": ["la"], "in_table": "clients"}, "a_rule does not fit the table: Catalog Error"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_an_error_that_names_it(expectation: str, kwargs: dict[str, Any], fault: str) -> None:
    with pytest.raises(ContractError) as caught:
        check(TREATMENT, build(TREATMENT, suite("ndtms", expectation, **kwargs)))
    assert str(caught.value).startswith("treatment.ndtms: ") and fault in str(caught.value)


def test_rows_of_other_tables_can_be_asked_for_in_snapshots_alone() -> None:
    police = load_contract("police")
    with pytest.raises(ContractError, match=r"police\.offences: the rule a_rule asks for rows of another table.*only snapshots"):
        as_document(police, suite("offences", "expect_key_to_exist", columns=["nominal_id"], in_table="nominals"))


def test_a_rule_with_markers_is_asked_only_of_rows_that_have_them() -> None:
    rule = Rule("a_rule", None, "expect_column_values_to_not_be_null", {"column": "a"}, "quarantine", "m", where_set=("b",), where_unset=("n",))
    (compiled,) = row_checks([rule])
    with duckdb.connect() as session:
        session.execute("create table rows (_row_number bigint, a varchar, b varchar, n integer, m integer, s date, e date)")
        session.executemany("insert into rows values (?, ?, ?, ?, ?, ?, ?)", ROWS)
        assert session.execute(f"select _row_number from rows where {compiled.broken}").fetchall() == [(3,)]
