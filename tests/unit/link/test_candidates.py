"""Candidate pairs are counted without being made."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES
from warehouse.link.candidates import kept_keys_of, make_pairs, near_rows, pairs_between, pairs_within, row_keys

ROWS = [
    # record, surname, forename, districts
    (1, "MARSH", "ADAM", ["NE8", "LS1"]),
    (1, "MARSH", "ADAM", ["NE8"]),
    (2, "MARSH", "ADAM", ["NE8", "LS1"]),
    (3, "ADAM", "MARSH", None),
    (4, None, "ADAM", ["LS1"]),
]


@pytest.fixture
def rows(session: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    session.execute("create table name_row (record_no int, surname varchar, forename varchar, districts varchar[])").fetchall()
    session.executemany("insert into name_row values (?, ?, ?, ?)", ROWS)
    return session


@pytest.mark.parametrize(
    ("rule", "pairs"),
    [
        ("l.surname = r.surname", 3),
        ("l.forename = r.forename and l.record_no <> r.record_no", 6),
        ("l.forename = r.forename and l.districts = r.districts", 3 + 3),
        ("l.forename = r.surname and l.surname = r.forename", 3),
    ],
    ids=["one column", "other conditions are not looked at", "once for every value of a list", "two columns"],
)
def test_pairs_within_a_table(rows: duckdb.DuckDBPyConnection, rule: str, pairs: int) -> None:
    assert pairs_within(rows, rule, "name_row") == pairs


def test_pairs_between_tables(rows: duckdb.DuckDBPyConnection) -> None:
    rows.execute("create view other as select * from name_row where record_no > 1").fetchall()
    assert pairs_between(rows, "l.surname = r.surname", "name_row", "other") == pairs_between(rows, "l.surname = r.surname", "other", "name_row") == 4


NUMBERED = "create view numbered as select *, row_number() over (order by record_no, len(districts) desc)::int as row_id"
RULES = ("l.surname = r.surname and l.record_no <> r.record_no", "l.forename = r.forename and l.districts = r.districts and l.record_no <> r.record_no")


def test_pairs_are_made_once_by_their_first_rule(rows: duckdb.DuckDBPyConnection) -> None:
    rows.execute(f"{NUMBERED} from name_row").fetchall()
    assert make_pairs(rows, RULES, [("numbered",)], 1000, "made") == [2, 5]
    assert rows.execute("select match_key, join_key_l, join_key_r from made order by all").fetchall() == [("0", 1, 3), ("0", 2, 3), ("1", 1, 5), ("1", 3, 5)]


def test_no_more_pairs_are_made_than_allowed(rows: duckdb.DuckDBPyConnection) -> None:
    rows.execute(f"{NUMBERED} from name_row").fetchall()
    assert sum(make_pairs(rows, RULES, [("numbered",)], 3, "made")) == 3


SWAPPED = "l.forename = r.surname and l.surname = r.forename and l.record_no <> r.record_no"


@pytest.mark.parametrize(
    ("rule", "near"),
    [("l.surname = r.surname", [1, 2, 3]), ("l.forename = r.forename and l.districts = r.districts", [1, 2, 3, 5]), (SWAPPED, [3, 4])],
    ids=["one column", "a value of a list in common", "columns the other way round"],
)
def test_rows_near_a_changed_one_are_those_that_a_rule_nominates_with_it(rows: duckdb.DuckDBPyConnection, rule: str, near: list[int]) -> None:
    rows.execute(f"{NUMBERED}, record_no = 2 as is_changed from name_row").fetchall()
    rows.execute(f"create table kept as {kept_keys_of([rule], 'numbered')}").fetchall()
    near_rows(rows, [rule], "numbered", "numbered", "kept", "near")
    assert [row for (row,) in rows.execute("select row_id from near order by row_id").fetchall()] == near


def test_rules_keep_to_what_keys_are_made_of() -> None:
    """A row has its keys by every rule in force."""
    for rules in (NAMED_RULES, MINIMAL_RULES):
        assert all(f"+ {number}" in row_keys(rules, 0) for number in range(len(rules)))
    with pytest.raises(ValueError, match="more than one list"):
        row_keys(["l.sectors = r.sectors and l.districts = r.districts"], 0)
    with pytest.raises(ValueError, match="more than 64"):
        row_keys(["l.dob = r.dob"] * 65, 0)


def test_a_condition_beyond_equalities_holds_for_its_own_rule_alone(rows: duckdb.DuckDBPyConnection) -> None:
    rows.execute(f"{NUMBERED} from name_row").fetchall()
    assert make_pairs(rows, [RULES[0], "l.surname = r.surname"], [("numbered",)], 1000, "made") == [2, 3]
