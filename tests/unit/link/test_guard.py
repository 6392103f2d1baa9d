"""The twin guard: which edges between rows of names survive it, and what is kept of those that do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest
from tests.unit.link.conftest import Rows

from warehouse.link import named
from warehouse.link.models import policy

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
BORN = date(1985, 3, 2)
TWIN = {"surname": "Marsh", "dob": BORN, "sex": "M", "postcode": "NE8 2AB"}


def is_guarded(standardised: Standardised, *rows: dict[str, Any]) -> bool:
    session = standardised(list(rows))
    session.execute(
        """
        create or replace table named_pair as
        select l.row_id as row_id_l, r.row_id as row_id_r, 20.0 as match_weight, 0.99 as match_probability, 0 as match_key, 'made up' as model
        from name_row as l inner join name_row as r on l.record_no < r.record_no
        """
    ).fetchall()
    named.find_edges(session, policy())
    ((guarded,),) = session.execute("select is_guarded from named_edge").fetchall()
    return bool(guarded)


def pair(one: dict[str, Any], other: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"record": 1} | TWIN | one, {"record": 2} | TWIN | other


def test_twins_are_kept_apart(standardised: Standardised) -> None:
    assert is_guarded(standardised, *pair({"forename": "Adam"}, {"forename": "Luke"}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"forename": "William"}, {"forename": "Bill"}),
        ({"forename": "Jonathan"}, {"forename": "Jonathon"}),
        ({"forename": "Adam", "middle_name": "Luke"}, {"forename": "Luke"}),
        ({"forename": "A"}, {"forename": "Adam"}),
        ({"forename": "Adam", "nino": "AB123457C"}, {"forename": "Luke", "nino": "AB123457C"}),
        ({"forename": "Marsh", "surname": "Adam"}, {"forename": "Adam"}),
        ({}, {"forename": "Adam"}),
    ],
    ids=["nickname", "spelling", "middle name", "initial", "NINO agrees", "names swapped", "no forename"],
)
def test_names_that_can_be_one_person_pass(standardised: Standardised, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not is_guarded(standardised, *pair(one, other))


def test_an_alias_that_says_so_keeps_the_edge(standardised: Standardised) -> None:
    adam, luke = pair({"forename": "Adam"}, {"forename": "Luke"})
    alias = {"record": 1, "is_main": False, "forename": "Luke", "surname": "Marsh"}
    assert not is_guarded(standardised, adam, alias, luke)
