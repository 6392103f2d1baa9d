"""The pair budget stops a night before it compares, and Splink keeps quiet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
import pytest
from tests.unit.link.conftest import Rows

from warehouse.link import named
from warehouse.link.errors import LinkageFault, PairBudgetExceeded, clean_duckdb_errors
from warehouse.link.models import load_model, policy
from warehouse.link.splinking import prediction_rules, rounds
from warehouse.settings import settings

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]


def alike(count: int) -> Rows:
    return [{"record": n, "forename": "Adam", "surname": "Marsh", "dob": date(1985, 1, 1), "sex": "M"} for n in range(1, count + 1)]


def test_more_pairs_than_the_budget_allows_stop_the_night(standardised: Standardised) -> None:
    session = standardised(alike(40))
    tight = policy().model_copy(update={"pair_budget_per_record": 1.0, "pair_budget_floor": 100})
    with pytest.raises(PairBudgetExceeded, match=r"about 3,120 pairs, more than the 100 allowed for 40 rows") as caught:
        named.score(session, tight, load_model(tight.named.model))
    assert "MARSH" not in str(caught.value).upper()


def test_within_the_budget_the_pairs_are_scored(standardised: Standardised) -> None:
    session = standardised(alike(4))
    assert named.score(session, policy(), load_model(policy().named.model))["candidate_pairs"] == 24, "6 pairs, by each of four rules"


def test_pairs_compared_in_chunks_come_out_the_same(standardised: Standardised, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [{"forename": f"{letter}dam", "surname": f"Mar{letter}h", "dob": date(1960 + n, 1 + n, 5), "sex": "M"} for n, letter in enumerate("BCDFGHJKLM")]
    session = standardised([{"record": 3 * n + copy} | person for n, person in enumerate(people) for copy in range(3)])
    named.score(session, policy(), load_model(policy().named.model))
    edges = "select record_l, record_r, round(match_weight, 9), match_key from named_edge order by all"
    at_once = session.execute(edges).fetchall()
    assert len(at_once) == 30
    monkeypatch.setattr(settings(), "linkage_pairs_at_a_time", 50)
    named.score(session, policy(), load_model(policy().named.model))
    assert session.execute(edges).fetchall() == at_once


def test_a_single_record_needs_no_model(standardised: Standardised) -> None:
    session = standardised(alike(1))
    assert named.score(session, policy(), load_model(policy().named.model)) == {"candidate_pairs": 0, "edges": 0, "guarded_edges": 0}


def test_rules_on_lists_hold_for_any_value_of_the_list() -> None:
    plain, listed = prediction_rules(["l.dob = r.dob", "l.dob = r.dob and l.districts = r.districts"])
    assert "arrays_to_explode" not in plain
    assert listed["arrays_to_explode"] == ["districts"]


@pytest.mark.parametrize(
    ("left", "right", "compared"),
    [
        ([True, True], None, [("a",)]),
        ([False, False], None, []),
        ([True, False], None, [("a_changed",), ("a_earlier", "a_changed")]),
        ([True], [True], [("a", "b")]),
        ([True], [], []),
        ([True, False], [True, False], [("a_changed", "b"), ("a_earlier", "b_changed")]),
        ([False], [True], [("a_earlier", "b_changed")]),
        ([True], [False], [("a_changed", "b")]),
        ([False], [False], []),
    ],
)
def test_every_pair_with_a_changed_row_is_compared_once(
    session: duckdb.DuckDBPyConnection, left: list[bool], right: list[bool] | None, compared: list[tuple[str, ...]]
) -> None:
    for table, flags in (("a", left), ("b", right or [])):
        session.execute(f"create table {table} (is_changed boolean)").fetchall()
        session.execute(f"insert into {table} select unnest(?::boolean[])", [flags]).fetchall()
    assert rounds(session, "a", None if right is None else "b") == compared


def test_duckdb_errors_lose_their_message(session: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(LinkageFault) as caught, clean_duckdb_errors("cast a name"):
        session.execute("select 'Quillfeather'::int").fetchall()
    assert str(caught.value) == "DuckDB error while trying to cast a name: ConversionException"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
