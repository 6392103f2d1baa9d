"""Candidate pairs are counted without being made."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.link.candidates import make_pairs, pairs_between, pairs_within

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


RULES = ("l.surname = r.surname and l.record_no <> r.record_no", "l.forename = r.forename and l.districts = r.districts and l.record_no <> r.record_no")


def test_pairs_are_made_once_by_their_first_rule(rows: duckdb.DuckDBPyConnection) -> None:
    rows.execute("create view numbered as select *, row_number() over (order by record_no, len(districts) desc)::int as row_id from name_row").fetchall()
    assert make_pairs(rows, RULES, [("numbered",)], 1000, "made") == [2, 5]
    assert rows.execute("select match_key, join_key_l, join_key_r from made order by all").fetchall() == [("0", 1, 3), ("0", 2, 3), ("1", 1, 5), ("1", 3, 5)]


def test_no_more_pairs_are_made_than_allowed(rows: duckdb.DuckDBPyConnection) -> None:
    rows.execute("create view numbered as select *, row_number() over (order by record_no, len(districts) desc)::int as row_id from name_row").fetchall()
    assert sum(make_pairs(rows, RULES, [("numbered",)], 3, "made")) == 3
