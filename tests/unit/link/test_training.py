"""What training decides before Splink is asked, and what it does with levels that saw no true pairs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
from tests.unit.link.conftest import Rows

from warehouse.link import cards, comparisons, train
from warehouse.link.training import borrow

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]


def model(m: float | None, u: float | None = 0.5) -> dict[str, Any]:
    level = {"label_for_charts": "Same", "sql_condition": "sex_l = sex_r", "m_probability": m, "u_probability": u}
    missing = {"label_for_charts": "Missing", "sql_condition": "sex_l is null or sex_r is null", "is_null_level": True}
    return {"comparisons": [{"output_column_name": "sex", "comparison_levels": [missing, level]}]}


def test_a_level_without_true_pairs_borrows_from_the_link_model() -> None:
    for m in (None, 1e-9):
        thin = model(m)
        assert borrow(thin, model(0.9)) == ["sex: Same"]
        assert thin == model(0.9)


def test_a_trained_level_keeps_its_own() -> None:
    trained = model(0.7)
    assert borrow(trained, model(0.9, 0.1)) == []
    assert trained == model(0.7)


def test_a_feed_is_compared_on_what_it_has(standardised: Standardised) -> None:
    person = {"forename": "Adam", "surname": "Pike", "dob": date(1980, 3, 2), "sex": "M", "pnc_id": "1998/0123456G"}
    session = standardised([{"record": 1} | person, {"record": 2, "feed": "benefits"} | person])
    session.execute("create view name_row_police as select * from name_row where feed = 'police'").fetchall()
    compared = train._filled(session, "name_row_police")
    assert [comparison["output_column_name"] for comparison in compared] == ["forename", "surname", "dob", "sex", "pnc_id"]
    assert train._sessions(compared)[0] == "l.pnc_id = r.pnc_id"


def test_training_sessions_leave_every_comparison_free_once() -> None:
    for compared in (comparisons.NAMED, comparisons.NAMED[:5]):
        sessions = train._sessions(compared)
        for comparison in compared:
            columns = {column for level in comparison["comparison_levels"] for column in comparisons.columns_read(level["sql_condition"])}
            assert any(not columns & comparisons.columns_read(rule) for rule in sessions), comparison["output_column_name"]


def test_changes_set_new_weights_beside_those_in_force() -> None:
    text = cards.changes({"link-3": model(1.0)}, {"link-3": ("link-2", model(0.5))})
    assert "## link-3 instead of link-2" in text
    assert "| sex | Same | 0.0 | 1.0 | +1.0 |" in text
