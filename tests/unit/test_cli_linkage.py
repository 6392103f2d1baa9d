"""`warehouse linkage`: each command asks the right function and tells what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from warehouse.cli_linkage import Guard, app
from warehouse.link import evaluate, guards, labels, relink, score_files, train
from warehouse.link.review import decisions, sample

NIGHT = date(2026, 11, 1)
Calls = list[tuple[Any, ...]]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def calls() -> Calls:
    return []


@pytest.fixture
def stand_in(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, object], None]:
    """Put a function in the place of one that would do the work: it notes what it was asked and gives the answer."""

    def replace(module: Any, name: str, answer: object) -> None:
        def note(*arguments: Any) -> object:
            calls.append(arguments)
            return answer

        monkeypatch.setattr(module, name, note)

    return replace


def test_evaluate_takes_a_truth_or_labels(tmp_path: Path, calls: Calls, stand_in: Callable[[Any, str, object], None]) -> None:
    stand_in(evaluate, "evaluate", {"named_pair_recall": 0.95})
    stand_in(labels, "evaluate_labels", {"precision": 1.0})
    judged = tmp_path / "labels.csv"
    judged.touch()
    assert run("evaluate", "--date", "2026-11-01", "--truth", str(tmp_path)).stdout == "named_pair_recall,0.9500\n"
    assert run("evaluate", "--date", "2026-11-01", "--labels", str(judged)).stdout == "precision,1.0000\n"
    assert calls == [(NIGHT, tmp_path), (NIGHT, judged)]
    assert run("evaluate", "--date", "2026-11-01").exit_code == 2
    assert run("evaluate", "--date", "2026-11-01", "--labels", str(judged), "--truth", str(tmp_path)).exit_code == 2


def test_relink_tells_its_counts(calls: Calls, stand_in: Callable[[Any, str, object], None]) -> None:
    stand_in(relink, "relink", {"records": 3, "merged": 1})
    assert run("relink", "--date", "2026-11-01").stdout == "records,3\nmerged,1\n"
    assert calls == [(NIGHT,)]
    assert run("relink").exit_code == 2, "a relink names its night"


def test_a_guard_is_overruled_with_a_reason_and_a_name(calls: Calls, stand_in: Callable[[Any, str, object], None]) -> None:
    stand_in(guards, "accept", None)
    assert run("accept-churn", "--date", "2026-11-01", "--reason", "new model").exit_code == 0
    assert run("accept-churn", "--date", "2026-11-01", "--reason", "new model", "--guard", "drift").exit_code == 0
    assert [call[:3] for call in calls] == [(NIGHT, "churn", "new model"), (NIGHT, "drift", "new model")]
    assert all(call[3] for call in calls), "who said so"
    assert run("accept-churn", "--date", "2026-11-01").exit_code == 2
    assert run("accept-churn", "--date", "2026-11-01", "--reason", "x", "--guard", "weather").exit_code == 2


def test_every_guard_that_can_be_accepted_can_be_named() -> None:
    assert {guard.value for guard in Guard} == set(guards.ACCEPTABLE)


def test_a_reason_that_says_nothing_is_a_wrong_command_line() -> None:
    assert run("accept-churn", "--date", "2026-11-01", "--reason", " ").exit_code == 2


def test_score_reads_the_mapping(tmp_path: Path, calls: Calls, stand_in: Callable[[Any, str, object], None]) -> None:
    left, mapping = tmp_path / "left.csv", tmp_path / "mapping.yaml"
    left.touch()
    mapping.write_text("{id: rec_id, forename: given, surname: family, dob: born}", encoding="utf-8")
    stand_in(score_files, "score_files", {"links": 4.0})
    assert run("score", "--left", str(left), "--mapping", str(mapping), "--minimal").stdout == "links,4.0000\n"
    ((first, right, roles, *rest),) = calls
    assert (first, right, roles.id, rest) == (left, None, "rec_id", [None, True, None, None])


def test_train_writes_apart_from_the_models_in_force(tmp_path: Path, calls: Calls, stand_in: Callable[[Any, str, object], None]) -> None:
    stand_in(train, "train", {"link-9": tmp_path / "link-9.json"})
    stand_in(train, "write_changes", tmp_path / "changes.md")
    told = run("train", "--date", "2026-11-01", "--population", "everyone", "--version", "9", "--out", str(tmp_path))
    assert told.stdout.splitlines() == [str(tmp_path / "link-9.json"), str(tmp_path / "changes.md")]
    assert calls == [(None, NIGHT, "everyone", 9, 1, tmp_path), (tmp_path, ["link-9"])]


def test_review_does_one_thing_at_a_time(tmp_path: Path, calls: Calls, stand_in: Callable[[Any, str, object], None]) -> None:
    assert run("review", "--draw", "50", "--estimate").exit_code == 2
    stand_in(decisions, "latest_sample", None)
    assert run("review", "--estimate").exit_code == 1
    stand_in(sample, "draw", (NIGHT, 52))
    assert run("review", "--draw", "50").exit_code == 0
    assert calls[-1] == (50,)


def test_explain_never_overwrites_a_file(tmp_path: Path) -> None:
    key = "00000000-0000-0000-0000-000000000001"
    assert run("explain", "--left", key, "--right", key, "--date", "2026-11-01", "--page", str(tmp_path)).exit_code == 2
    assert run("explain", "--left", "police-17", "--right", key).exit_code == 2, "a record is named by its key, never by the agency's id"
