"""The answer to the agency, from real deliveries: every row to correct, and nothing of anyone else."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from tests.integration.deliveries import NIGHTS, deliver, golden_inbox, golden_rows, query, write_inbox

from warehouse.admit import stage
from warehouse.admit.answer.stage import forget, write
from warehouse.admit.errors import AdmitFault, DeliveryRefused
from warehouse.contracts.load import feeds, load_contract
from warehouse.receive.stage import receive

pytestmark = pytest.mark.usefixtures("clean_db")
Line = dict[str, str]


def answered(delivery_id: int) -> tuple[list[Line], str]:
    """The lines of the list, and the page."""
    folder = write(delivery_id)
    with (folder / "answer.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), (folder / "answer.html").read_text(encoding="utf-8")


def seen(page: str) -> str:
    """A page as a reader sees it."""
    return " ".join(re.sub("<[^>]+>", " ", re.sub(r"(?s)<(style|title).*?</\1>", "", page)).split())


@pytest.mark.parametrize("feed", feeds())
def test_an_answer_lists_every_row_to_correct_and_repeats_no_value_but_the_agencys_own_ids(tmp_path: Path, feed: str) -> None:
    delivery_id = deliver(feed, golden_inbox(tmp_path, feed, "night_1"), "night_1")
    lines, page = answered(delivery_id)
    listed = {(line["table"], int(line["row_number"]), line["rule"]) for line in lines if line["severity"] == "quarantine"}
    quarantined = query("select table_name, row_number, unnest(rules) from quarantine.refused_row where delivery_id = %s", delivery_id)
    assert quarantined and listed == set(quarantined)
    counted = query("select table_name, rule, failed_rows from ops.check_result where delivery_id = %s and severity = 'warn' and failed_rows > 0", delivery_id)
    warned = [(line["table"], line["rule"]) for line in lines if line["severity"] == "warn"]
    assert {(table, rule): rows for table, rule, rows in counted} == {place: warned.count(place) for place in warned}
    assert "Accepted" in page
    text = seen(page) + "\n".join(" ".join(line.values()) for line in lines)
    assert not [place for place, value in _identifiers(feed) if value in text]


def _identifiers(feed: str) -> list[tuple[str, str]]:
    """Column and value of every name, date of birth, address and number in a golden delivery, except the agency's own ids of rows."""
    found = []
    for table in load_contract(feed).tables.values():
        ids = {name for columns in table.keys.values() for name in columns}
        hidden = [c.name for c in table.columns if c.is_identifier and c.role not in ("sex", "forename_initial", "surname_initial") and c.name not in ids]
        for row in golden_rows(feed, table.name):
            # A row with too few fields holds words of the language in the place of names.
            if None not in row.values():
                found += [(f"{table.name}.{name}", row[name].strip()) for name in hidden if len(row[name].strip()) >= 4]
    return found


def test_an_answer_names_no_other_feed(tmp_path: Path) -> None:
    ids = {feed: deliver(feed, golden_inbox(tmp_path / feed, feed, "night_1"), "night_1") for feed in ("police", "benefits")}
    lines, page = answered(ids["benefits"])
    assert {line["table"] for line in lines} <= set(load_contract("benefits").tables)
    assert "nominal" not in page.lower() and "police" not in page.lower()


def test_a_line_names_the_row_by_the_agencys_own_ids(tmp_path: Path) -> None:
    lines, _ = answered(deliver("benefits", golden_inbox(tmp_path, "benefits", "night_1"), "night_1"))
    (line,) = [line for line in lines if line["rule"] == "spell_end_before_start"]
    assert (line["row_number"], line["record_id"], line["message"]) == ("3", "CLAIMANT_ID C2, SPELL_ID S3", "The benefit spell ends before it starts")
    assert next(line["column"] for line in lines if line["rule"] == "end_date.type") == "END_DATE"


def test_a_refused_delivery_is_told_why_and_what_to_send(tmp_path: Path) -> None:
    inbox = golden_inbox(tmp_path, "benefits", "night_1")
    (path,) = (inbox / "benefits").glob("employment_spells*")
    path.write_text(path.read_text(encoding="utf-8").replace("END_DATE|", "FINISHED|", 1), encoding="utf-8")
    delivery_id = receive("benefits", inbox, NIGHTS["night_1"])
    assert delivery_id is not None
    with pytest.raises(DeliveryRefused):
        stage.load(delivery_id)
    lines, page = answered(delivery_id)
    assert [(line["table"], line["rule"], line["severity"], line["row_number"]) for line in lines] == [("employment_spells", "renamed_column", "refuse", "")]
    assert "END_DATE is now FINISHED" in lines[0]["message"]
    assert "Refused Nothing of this delivery was taken in." in seen(page)
    assert "Send every file of the delivery again for 1 November 2026" in seen(page)


def test_a_delivery_refused_for_its_rows_lists_the_first_of_them(tmp_path: Path) -> None:
    rows = [golden_rows("benefits", "employment_spells")[0] | {"SPELL_ID": f"J{n}", "START_DATE": "31/12/2024"} for n in range(60)]
    delivery_id = receive("benefits", write_inbox(tmp_path / "bad", "benefits", {"employment_spells": rows}), NIGHTS["night_1"])
    assert delivery_id is not None
    stage.load(delivery_id)
    with pytest.raises(DeliveryRefused):
        stage.check(delivery_id)
    lines, page = answered(delivery_id)
    whole = [line["rule"] for line in lines if not line["row_number"]]
    assert "start_date.retyped" in whole
    assert sum(line["rule"] == "start_date.type" for line in lines) == 60
    assert "START_DATE looks retyped: 100% of 60 values are not dates written YYYY-MM-DD" in seen(page)


def test_a_second_delivery_is_compared_with_the_first(tmp_path: Path) -> None:
    deliver("treatment", golden_inbox(tmp_path, "treatment", "night_1"), "night_1")
    _, page = answered(deliver("treatment", golden_inbox(tmp_path, "treatment", "night_2"), "night_2"))
    (now,), (before,) = ([count for (count,) in query("select rows_received from ops.delivery_file where delivery_id = %s", n)] for n in (2, 1))
    assert "Against 1 Nov 2026" in seen(page) and f"−{before - now}" in seen(page)


def test_an_answer_is_private_and_its_checkpoint_gone(tmp_path: Path, clean_db: Path) -> None:
    delivery_id = deliver("police", golden_inbox(tmp_path, "police", "night_1"), "night_1")
    folder = write(delivery_id)
    assert folder == clean_db / "answers" / "police" / str(delivery_id)
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert {path.name: oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"answer.csv": "600", "answer.html": "600"}
    assert not list((clean_db / "work" / "admit").glob(f"*{delivery_id}*"))
    assert [path.name for path in folder.parent.iterdir()] == [str(delivery_id)]


def test_writing_again_gives_the_same_answer(tmp_path: Path) -> None:
    delivery_id = deliver("housing", golden_inbox(tmp_path, "housing", "night_1"), "night_1")
    assert answered(delivery_id) == answered(delivery_id)


def test_a_delivery_that_has_not_ended_has_no_answer(tmp_path: Path) -> None:
    delivery_id = receive("police", golden_inbox(tmp_path, "police", "night_1"), NIGHTS["night_1"])
    assert delivery_id is not None
    with pytest.raises(AdmitFault, match="has not ended"):
        write(delivery_id)


def test_the_same_files_again_are_answered_as_received_before(tmp_path: Path) -> None:
    inbox = golden_inbox(tmp_path, "police", "night_1")
    deliver("police", golden_inbox(tmp_path / "first", "police", "night_1"), "night_1")
    again = receive("police", inbox, NIGHTS["night_2"])
    assert again is not None
    lines, page = answered(again)
    assert lines == [] and "Received before" in page


def test_the_run_is_recorded_with_counts_alone(tmp_path: Path) -> None:
    delivery_id = deliver("benefits", golden_inbox(tmp_path, "benefits", "night_1"), "night_1")
    lines, _ = answered(delivery_id)
    ((status, counts),) = query("select status, counts::text from ops.stage_run where stage = 'admit.answer'")
    assert status == "ok" and json.loads(counts) == {"rules": len({(line["table"], line["rule"]) for line in lines}), "rows": len(lines)}


def test_the_answers_of_a_feed_can_be_forgotten(tmp_path: Path, clean_db: Path) -> None:
    write(deliver("police", golden_inbox(tmp_path, "police", "night_1"), "night_1"))
    write(deliver("benefits", golden_inbox(tmp_path, "benefits", "night_1"), "night_1"))
    assert forget("police") == 1 and forget("police") == 0
    assert [path.name for path in (clean_db / "answers").glob("*/*")] == ["2"]
