"""The commands on deliveries and erasure as an engineer types them, on golden deliveries that went through every stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.integration.deliveries import deliver, golden_inbox, golden_rows, query
from typer.testing import CliRunner, Result

from warehouse.cli import app

pytestmark = pytest.mark.integration

FEED = "police"


def warehouse(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=typed)


def status_of(delivery_id: int) -> str:
    return str(json.loads(warehouse("delivery", str(delivery_id), "--json").stdout)["status"])


def rows_of(feed: str = FEED) -> list[Any]:
    return query(f"select row_key, _valid_from, _valid_to from source.{feed}__nominals order by 1, 2")


@pytest.fixture
def delivered(clean_db: Path, tmp_path: Path) -> tuple[int, int]:
    """The first two golden nights of the police; ids of the deliveries."""
    first = deliver(FEED, golden_inbox(tmp_path, FEED, "night_1"), "night_1")
    return first, deliver(FEED, golden_inbox(tmp_path, FEED, "night_2"), "night_2")


def test_a_delivery_is_withdrawn_and_brought_back(delivered: tuple[int, int]) -> None:
    _, second = delivered
    before = rows_of()
    rejected = warehouse("reject", str(second), "--reason", "a test extract")
    assert rejected.exit_code == 0, rejected.output
    assert status_of(second) == "rejected"
    assert rows_of() != before
    (message,) = query("select message from ops.delivery where delivery_id = %s", second)[0]
    assert message.startswith("Rejected by ") and message.endswith(": a test extract")
    again = warehouse("redo", str(second))
    assert again.exit_code == 0, again.output
    assert status_of(second) == "admitted"
    assert rows_of() == before


def test_a_release_without_a_change_lets_nothing_in(delivered: tuple[int, int]) -> None:
    first, _ = delivered
    before, refused = rows_of(), query("select count(*) from quarantine.refused_row where delivery_id = %s", first)[0][0]
    done = warehouse("release", str(first))
    assert done.exit_code == 0, done.output
    assert f"rows still refused{refused:>15,}" in done.output
    assert rows_of() == before


def test_an_answer_is_written_and_its_folder_printed(delivered: tuple[int, int], clean_db: Path) -> None:
    first, _ = delivered
    done = warehouse("answer", str(first))
    assert done.exit_code == 0, done.output
    folder = Path(done.stdout.strip().splitlines()[-1])
    assert folder == clean_db / "answers" / FEED / str(first)
    assert sorted(path.name for path in folder.iterdir()) == ["answer.csv", "answer.html"]
    assert json.loads(warehouse("delivery", str(first), "--json").stdout)["answer"] == str(folder)


@pytest.fixture
def records(clean_db: Path, tmp_path: Path) -> Path:
    """A file that names the first nominal of the first night, which has been delivered, and one that nobody knows."""
    deliver(FEED, golden_inbox(tmp_path, FEED, "night_1"), "night_1")
    path = tmp_path / "request.csv"
    path.write_text(f"NOMINAL_ID\n{golden_rows(FEED, 'nominals')[0]['NOMINAL_ID']}\nNOBODY\n", encoding="utf-8")
    return path


def test_a_record_is_erased_only_when_confirmed(records: Path) -> None:
    before = rows_of()
    refused = warehouse("erase", "--feed", FEED, "--records", str(records), typed="n\n")
    assert refused.exit_code == 1
    assert "2 records in the file, 1 of them known to the feed police." in refused.output
    assert rows_of() == before
    assert query("select count(*) from ops.erasure") == [(0,)]
    done = warehouse("erase", "--feed", FEED, "--records", str(records), typed="y\n")
    assert done.exit_code == 0, done.output
    assert len(rows_of()) < len(before)
    found = json.loads(warehouse("erasures", "--feed", FEED, "--json").stdout)
    assert len(found) == 2
    assert all(row["finished_at"] and row["reason"] == "erasure request" for row in found)
    assert {row["removed"].get("source", 0) > 0 for row in found} == {True, False}
    shown = warehouse("erasures").stdout
    assert "erasure request" in shown
    for identifier in (golden_rows(FEED, "nominals")[0]["NOMINAL_ID"], "NOBODY"):
        assert identifier not in shown + done.output + refused.output + json.dumps(found)


def test_records_from_standard_input_need_yes(records: Path) -> None:
    text = records.read_text(encoding="utf-8")
    refused = warehouse("erase", "--feed", FEED, "--records", "-", typed=text)
    assert (refused.exit_code, "there is nobody to ask" in refused.output) == (2, True)
    done = warehouse("erase", "--feed", FEED, "--records", "-", "--yes", "--reason", "consent withdrawn", "--requested-on", "2026-11-03", typed=text)
    assert done.exit_code == 0, done.output
    assert query("select distinct reason, requested_on::text from ops.erasure") == [("consent withdrawn", "2026-11-03")]


def test_a_file_that_is_not_there_or_not_text_is_a_mistake_of_the_command_line(clean_db: Path, tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.csv", tmp_path / "binary.csv"
    binary.write_bytes(b"NOMINAL_ID\n\xff\xfe\n")
    for path, words in ((missing, "cannot be read: No such file"), (binary, "is not text in UTF-8")):
        done = warehouse("erase", "--feed", FEED, "--records", str(path), "--yes")
        assert done.exit_code == 2
        assert words in " ".join(done.output.split())


def test_an_interrupted_erasure_is_told_and_taken_up(records: Path) -> None:
    assert warehouse("erase", "--feed", FEED, "--records", str(records), "--yes").exit_code == 0
    query("update ops.erasure set finished_at = null where erasure_id = (select min(erasure_id) from ops.erasure) returning 1")
    told = [problem for problem in json.loads(warehouse("status", "--json").stdout)["problems"] if problem["about"] == "erasure"]
    assert [problem["what"] for problem in told] == ["1 erasure is registered and not finished"]
    finished = warehouse("erasures", "--finish")
    assert "1 erasures finished." in finished.output
    assert query("select count(*) from ops.erasure where finished_at is null") == [(0,)]


def test_an_erasure_is_lifted_once(records: Path) -> None:
    assert warehouse("erase", "--feed", FEED, "--records", str(records), "--yes").exit_code == 0
    (number,) = query("select min(erasure_id) from ops.erasure")[0]
    assert warehouse("erasures", "--lift", str(number)).exit_code == 0
    again = warehouse("erasures", "--lift", str(number))
    assert (again.exit_code, f"There is no erasure {number} in force" in again.output) == (2, True)
