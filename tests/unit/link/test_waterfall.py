"""An explanation as it is told: the steps add up, what decided is said, and the page is its owner's alone."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from warehouse.link.explain import Explanation
from warehouse.link.review.decisions import Pair
from warehouse.link.review.rescoring import Candidates, Scored, Step, steps
from warehouse.link.review.waterfall import bars, findings, odds, table, write_page

STEPS = (Step("surname", "Same", 8.0, 2.5), Step("dob", "All else", -5.0, 0.0))


SCORED = Scored("link-9", -10.0, STEPS, -4.5, ("surname_sound, dob",))


def explanation(**changes: Any) -> Explanation:
    sides = ((UUID(int=1),), (UUID(int=2),))
    return Explanation(date(2026, 11, 1), UUID(int=1), UUID(int=2), sides, True, replace(SCORED, **changes), is_conflict=False, together=("inclusive",))


def test_the_steps_lead_from_the_prior_to_the_weight() -> None:
    drawn = bars(explanation())
    assert [(bar.name, bar.bits, bar.end) for bar in drawn] == [
        ("prior", -10.0, -10.0), ("surname", 8.0, -2.0), ("surname", 2.5, 0.5), ("dob", -5.0, -4.5), ("weight", -4.5, -4.5),
    ]  # fmt: skip


def test_pooling_is_a_step_of_its_own() -> None:
    assert [bar.name for bar in bars(explanation(weight=-6.5))][-2:] == ["pooled", "weight"]


def test_what_decided_is_said() -> None:
    said = " ".join(findings(explanation(is_guarded=True, rules=(), candidates=Candidates((9.0, 7.5), 2, 0.25))))
    assert "No blocking rule nominates the pair" in said
    assert "The twin guard rejects it" in said
    assert "2 candidates, of 9.0, 7.5 bits; it is number 2" in said
    assert "0.250" in said
    assert "One person at: inclusive." in said
    assert "conflict" not in said


@pytest.mark.parametrize(
    ("bits", "words"),
    [(0, "1 to 1 for the same person"), (10, "1,020 to 1 for the same person"), (-3, "8 to 1 against"), (200, "10^60 to 1 for the same person")],
)
def test_odds_in_words(bits: float, words: str) -> None:
    assert odds(bits) == words


def test_levels_are_read_as_splink_numbers_them() -> None:
    levels = [
        {"label_for_charts": "Missing", "is_null_level": True},
        {"label_for_charts": "Same"},
        {"label_for_charts": "Similar"},
        {"label_for_charts": "All else"},
    ]
    model = {"comparisons": [{"output_column_name": "dob", "comparison_levels": levels}, {"output_column_name": "sex", "comparison_levels": levels}]}
    found = steps(model, {"gamma_dob": 2, "mw_dob": 8.0, "mw_tf_adj_dob": 1.5, "gamma_sex": -1, "mw_sex": 0.0})
    assert found == (Step("dob", "Same", 8.0, 1.5), Step("sex", "Missing", 0.0, 0.0))


def test_the_page_is_private_escaped_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    pair = Pair(uuid4(), ({"surname": "<i>Smith"},), ({"surname": "Brown"},), None)
    write_page(explanation(), pair, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert "<i>" not in text
    assert "link-9" in text
    assert "http" not in text.replace("http-equiv", "")
    with pytest.raises(FileExistsError):
        write_page(explanation(), pair, path)


def test_the_terminal_table_holds_no_identifier() -> None:
    drawn = table(explanation())
    assert [column.header for column in drawn.columns] == ["comparison", "level of agreement", "bits", "so far"]
    assert drawn.row_count == 5
