"""`warehouse status`, `deliveries` and `delivery` on a database with known nights: every row asserted on was put there by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.integration.reported_nights import EXPECTED, LAST, NIGHTS, three_nights
from typer.testing import CliRunner, Result

from warehouse.cli import app
from warehouse.contracts.load import feeds, load_contract
from warehouse.database import connect, ops
from warehouse.orchestrate import status
from warehouse.publish import gate
from warehouse.receive import staleness

pytestmark = pytest.mark.integration

NEXT = date(2026, 11, 4)
REPORTED = {"benefits", "housing", "police", "treatment"}


@pytest.fixture
def nights(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that fills three nights, each received, linked and published."""
    monkeypatch.setattr(gate, "expected_tables", lambda: EXPECTED)

    def fill(**differences: Any) -> None:
        three_nights(**differences)
        for night in NIGHTS:
            for feed in feeds():
                with ops.stage_run(night, "receive", feed):
                    pass
            staleness.record(night)

    return fill


def problems(**about: Any) -> list[tuple[str, str]]:
    """Level and subject of what is told, but for feeds that the nights do not hold and for shares in quarantine."""
    found = status.collect(today=LAST, **about)["problems"]
    told = [problem for problem in found if problem["about"] not in set(feeds()) - REPORTED and "in quarantine" not in problem["what"]]
    return [(problem["level"], problem["about"]) for problem in told]


def warehouse(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_good_nights_leave_nothing_to_do(nights: Callable[..., None]) -> None:
    nights()
    with connect("admin") as connection:
        connection.execute("update ops.night_feed set is_stale = false")
    assert problems() == []


def test_a_share_in_quarantine_is_told_with_the_delivery(nights: Callable[..., None]) -> None:
    nights()
    told = {problem["about"]: problem["what"] for problem in status.collect(today=LAST)["problems"] if "in quarantine" in problem["what"]}
    assert told["police"] == "10.9% of the rows of delivery 10 of 2026-11-03 are in quarantine"
    assert "treatment" not in told, "43 of 41,230 rows are an ordinary night"


def test_every_feed_of_the_contracts_is_told_of(clean_db: Path) -> None:
    found = status.collect()
    assert [row["feed"] for row in found["feeds"]] == feeds()
    assert {row["status"] for row in found["feeds"]} == {"never delivered"}
    assert [problem["what"] for problem in found["problems"]] == ["never delivered"] * len(feeds())
    assert {problem["level"] for problem in found["problems"]} == {"late"}


def test_a_refused_delivery_and_a_silent_agency(nights: Callable[..., None]) -> None:
    nights(last_without="housing", last_refused="police")
    with connect("admin") as connection:
        connection.execute("update ops.night_feed set is_stale = false")
    assert problems() == [("wrong", "police")]
    (told,) = [p for p in status.collect(today=LAST)["problems"] if p["about"] == "police"]
    assert "housing" not in told["what"]
    assert "police_3.csv: the file has no column CLIENTID; send it again; the feed stays at the night 2026-11-02" in told["what"]
    later = load_contract("housing").delivery.late_after_days + 4
    assert ("late", "housing") in problems(as_of=date(2026, 11, later))
    assert ("late", "housing") not in problems(as_of=date(2026, 11, later - 1))


def test_lateness_is_judged_as_at_the_last_night_that_ran(nights: Callable[..., None]) -> None:
    nights()
    with connect("loader") as connection:
        connection.execute("insert into ops.stage_run (night, stage, status) values ('2027-01-01', 'retention', 'ok')")
    found = status.collect(today=date(2027, 3, 1))
    assert found["night"][0] == {"as_of": LAST, "last_run": LAST, "last_retention": None}
    assert [p for p in found["problems"] if p["level"] == "late" and p["about"] in REPORTED] == []
    assert [p["about"] for p in found["problems"] if "nothing has run since" in p["what"]] == ["night"]


def test_failed_stages_unfinished_erasures_and_unsent_alerts(nights: Callable[..., None]) -> None:
    nights()
    with connect("admin") as connection:
        connection.execute("update ops.night_feed set is_stale = false")
        connection.execute(
            "insert into ops.stage_run (night, stage, status, error) values (%s, 'link.score', 'failed', 'DatabaseFault: ... SQLSTATE 53100')", [NEXT]
        )
        connection.execute("insert into ops.stage_run (night, stage, feed, started_at) values (%s, 'load', 'police', now() - interval '7 hours')", [NEXT])
        connection.execute(
            "insert into ops.erasure (feed, record_key, reason, requested_on, requested_by) values ('police', gen_random_uuid(), 'erasure request', %s, 'me')",
            [LAST],
        )
        connection.execute("insert into ops.alert (source, message) values ('ingest_police', 'the delivery was refused')")
    found = status.collect(today=NEXT)
    told = {problem["about"]: problem for problem in found["problems"] if "in quarantine" not in problem["what"] and problem["what"][:5] != "never"}
    assert set(told) == {"link.score", "police", "erasure", "alerts", "marts"}
    assert told["link.score"]["page"] == "docs/runbooks/machine.md#the-disk-is-full"
    assert "7 hours ago and never ended" in told["police"]["what"]
    assert told["marts"]["what"] == "the night 2026-11-04 is not published: analysts see the night 2026-11-03"
    assert [row["feed"] for row in found["erasures"]] == ["police"]
    assert [row["message"] for row in found["alerts"]] == ["the delivery was refused"]


def test_what_kept_a_feed_from_arriving_is_told_until_it_comes(nights: Callable[..., None]) -> None:
    nights(last_without="housing")
    with connect("admin") as connection:
        connection.execute("update ops.night_feed set is_stale = false")
        for source in ("ingest_housing.receive", "ingest_police.receive", "ingest_police.load"):
            connection.execute("insert into ops.alert (night, source, message, sent) values (%s, %s, 'it does not accept our key', true)", [LAST, source])
    assert problems() == [("wrong", "housing")]
    with connect("admin") as connection:
        connection.execute("insert into ops.delivery (feed, night, content_hash, status) values ('housing', %s, 'after all', 'admitted')", [LAST])
    assert problems() == []


def test_status_as_json_and_as_tables(nights: Callable[..., None]) -> None:
    nights(last_refused="police")
    found = json.loads(warehouse("status", "--json").stdout)
    assert {"night", "problems", "feeds", "erasures", "alerts", "stages", "live", "marts"} == set(found)
    shown = warehouse("status", "--date", LAST.isoformat()).stdout
    assert "What to do" in shown
    assert max(len(line) for line in shown.splitlines()) <= 120
    assert "docs/runbooks/refused.md#a-delivery-was-refused" in shown
    assert "`warehouse delivery 10` shows why" in " ".join(shown.split())


def test_deliveries_are_listed_newest_first_and_filtered(nights: Callable[..., None]) -> None:
    nights(last_refused="police")
    everything = json.loads(warehouse("deliveries", "--json").stdout)
    assert [row["delivery_id"] for row in everything] == list(range(12, 0, -1))
    treatment = next(row for row in everything if row["feed"] == "treatment")
    assert [treatment[f"rows_{count}"] for count in ("received", "admitted", "quarantined", "unchanged")] == [41_230, 781, 43, 40_406]
    refused = json.loads(warehouse("deliveries", "--feed", "police", "--status", "refused", "--json").stdout)
    assert [(row["feed"], row["status"]) for row in refused] == [("police", "refused")]
    assert len(json.loads(warehouse("deliveries", "--limit", "3", "--json").stdout)) == 3
    shown = warehouse("deliveries").stdout
    assert max(len(line) for line in shown.splitlines()) <= 120
    assert "police_3.csv: the file has no column CLIENTID" in shown


def test_one_delivery_whole(nights: Callable[..., None]) -> None:
    nights()
    found = json.loads(warehouse("delivery", "12", "--json").stdout)
    assert (found["feed"], found["night"], found["status"]) == ("housing", "2026-11-03", "admitted")
    assert [file["table_name"] for file in found["files"]] == ["cases", "people"]
    assert [check["severity"] for check in found["failed_checks"]] == ["quarantine"] * 4 + ["warn"] * 2
    assert found["landed"] is None
    assert found["next_steps"][0] == "86 rows are in quarantine"
    shown = warehouse("delivery", "12").stdout
    assert "discharge_before_triage" in shown
    assert "What to do" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("delivery", "99"), "There is no delivery 99"),
        (("deliveries", "--status", "odd"), "There is no status 'odd'"),
        (("deliveries", "--feed", "odd"), "There is no feed called 'odd'"),
        (("redo", "99"), "There is no delivery 99"),
        (("release", "99"), "There is no delivery 99"),
        (("reject", "99", "--reason", "a mistake"), "There is no delivery 99"),
        (("answer", "99"), "There is no delivery 99"),
    ],
)
def test_what_does_not_exist_is_said_with_exit_code_2(clean_db: Path, arguments: tuple[str, ...], words: str) -> None:
    done = warehouse(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.output


def test_a_feed_as_it_stood_on_a_past_night(clean_db: Path) -> None:
    first, second, third = NIGHTS
    with connect("loader") as connection:
        for night, closed, code in ((first, third, "old"), (third, None, "new"), (second, second, "never was")):
            connection.execute(
                "insert into source.police__nominals (record_key, row_key, force_code, _valid_from, _valid_to) values (%s, %s, %s, %s, %s)",
                ["00000000-0000-0000-0000-000000000001"] * 2 + [code, night, closed],
            )
        connection.execute("insert into ops.delivery (feed, night, content_hash, status) values ('police', %s, 'a', 'admitted')", [first])
    shown = warehouse("as-at", "--feed", "police", "--table", "nominals", "--date", second.isoformat())
    assert "old" in shown.stdout and "new" not in shown.stdout and "never was" not in shown.stdout
    assert "surname" not in shown.stdout
    (nominals,) = [row for row in json.loads(warehouse("as-at", "--feed", "police", "--date", third.isoformat(), "--json").stdout) if row["rows_current"]]
    assert nominals == {"table_name": "nominals", "rows_current": 1, "delivery_id": 1, "last_night": first.isoformat(), "coverage_end": first.isoformat()}
    assert warehouse("as-at", "--feed", "police", "--table", "odd", "--date", "2026-11-01").exit_code == 2
