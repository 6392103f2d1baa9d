"""The retention against a real Postgres and real folders: what is past keeping goes, all else stays, and a rerun finds nothing."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from warehouse.database import DatabaseFault, connect
from warehouse.retention import stage, zones
from warehouse.retention.policy import Keep, KeepLanded, Policy, RetentionFault

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 30)
WHY = "as the tests want it"
POLICY = Policy(
    landing=KeepLanded(days=10, keep_nights=2, reason=WHY),
    quarantine=Keep(days=20, reason=WHY),
    answers=Keep(days=20, reason=WHY),
    vault=Keep(days=30, reason=WHY),
    source=Keep(days=40, reason=WHY),
    work=Keep(days=2, reason=WHY),
    ops=Keep(days=50, reason=WHY),
    reports=Keep(days=60, reason=WHY),
    logs=Keep(days=7, reason=WHY),
)


def before(days: int) -> date:
    return NIGHT - timedelta(days=days)


def execute(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connect("admin") as connection:
        cursor = connection.execute(statement, list(parameters))
        return cursor.fetchall() if cursor.description else []


def came(days_ago: int, status: str = "admitted", feed: str = "police") -> int:
    (row,) = execute(
        "insert into ops.delivery (feed, night, content_hash, status) values (%s, %s, gen_random_uuid()::text, %s) returning delivery_id",
        feed, before(days_ago), status,
    )  # fmt: skip
    return int(row[0])


def written(path: Path, days_ago: int | None = None) -> Path:
    """A file with words in it, last changed that many days before the night."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("words", encoding="utf-8")
    if days_ago is not None:
        moment = datetime.combine(before(days_ago), datetime.min.time(), UTC).timestamp()
        for aged in (path, path.parent):
            os.utime(aged, (moment, moment))
    return path


def run(dry_run: bool = False) -> dict[str, int]:
    return {removal.zone: removal.removed for removal in stage.run(NIGHT, dry_run=dry_run, policy=POLICY)}


def test_landed_copies_go_but_for_the_last_nights_and_what_is_under_way(clean_db: Path) -> None:
    copies = {name: came(days, status) for name, days, status in (
        ("old", 30, "admitted"), ("refused", 29, "refused"), ("stuck", 28, "loaded"),
        ("replayable", 20, "admitted"), ("replaced", 20, "superseded"), ("newest", 11, "admitted"), ("fresh refusal", 9, "refused"),
    )}  # fmt: skip
    for number in copies.values():
        written(clean_db / "landing" / "police" / str(number) / "nominals.csv")
    assert run()["landing"] == 3
    left = {int(folder.name) for folder in (clean_db / "landing" / "police").iterdir()}
    assert left == {copies[name] for name in ("stuck", "replayable", "newest", "fresh refusal")}
    assert run()["landing"] == 0


def test_files_collected_by_sftp_that_never_landed_go_too(clean_db: Path) -> None:
    spool = clean_db / "spool" / "police"
    old, fresh, memory = (written(spool / name, days) for name, days in (("old.csv.pgp", 11), ("fresh.csv.pgp", 10), (".collected.json", 300)))
    assert run()["landing"] == 1
    assert (old.exists(), fresh.exists(), memory.exists()) == (False, True, True)
    shutil.rmtree(clean_db / "spool")


def test_a_copy_half_removed_by_a_killed_run_goes_too(clean_db: Path) -> None:
    number = came(30, "refused")
    killed = written(clean_db / "landing" / "police" / f"{zones.REMOVING}{number}" / "nominals.csv")
    assert run()["landing"] == 1
    assert not killed.parent.exists()


def test_quarantine_and_answers_go_by_the_deliverys_night(clean_db: Path) -> None:
    old, kept = came(21), came(20)
    for number in (old, kept):
        execute("insert into quarantine.refused_row values (%s, 'police', 'nominals', 1, '{rule}', '{}')", number)
        written(clean_db / "answers" / "police" / str(number) / "answer.csv")
    written(clean_db / "answers" / "police" / ".unfinished-7" / "answer.csv", 3)
    counts = run()
    assert (counts["quarantine"], counts["answers"]) == (1, 2)
    assert execute("select delivery_id from quarantine.refused_row") == [(kept,)]
    assert [folder.name for folder in (clean_db / "answers" / "police").iterdir()] == [str(kept)]


def test_closed_versions_go_and_current_ones_stay_however_old(clean_db: Path) -> None:
    for zone, key in (("source", "row_key"), ("vault", "_row_hash")):
        for number, closed in enumerate((None, before(29), before(31), before(41))):
            execute(
                f"insert into {zone}.police__nominals (record_key, {key}, _valid_from, _valid_to)"
                " values (gen_random_uuid(), gen_random_uuid(), %s, %s)",
                before(300 + number), closed,
            )  # fmt: skip
    counts = run()
    assert (counts["source"], counts["vault"]) == (1, 2)
    assert execute("select count(*), count(_valid_to) from source.police__nominals") == [(3, 2)]
    assert execute("select count(*), count(_valid_to) from vault.police__nominals") == [(2, 1)]


def test_versions_that_the_last_nights_replays_need_stay(clean_db: Path) -> None:
    """Two deliveries that came long ago are the feed's last two: they can be replayed, and so can what they closed."""
    came(90)
    came(60)
    for closed in (before(91), before(90), before(60)):
        execute("insert into source.police__nominals (record_key, row_key, _valid_from, _valid_to) values (gen_random_uuid(), gen_random_uuid(), %s, %s)",
                before(300), closed)  # fmt: skip
    assert run()["source"] == 1
    assert execute("select min(_valid_to) from source.police__nominals") == [(before(90),)]


def test_operational_rows_go_and_the_register_stays(clean_db: Path) -> None:
    old, older_but_compared = came(60), came(55)
    execute("insert into ops.publication (night, slot, is_live) values (%s, 'blue', true)", NIGHT)
    for number in (old, older_but_compared, came(54)):
        execute("insert into ops.delivery_file (delivery_id, table_name, file_name, bytes, sha256) values (%s, 'nominals', 'n.csv', 1, '')", number)
        execute("insert into ops.check_result values (%s, 'nominals', 'rule', null, 'warn', 1, 1, 'words')", number)
        execute("insert into ops.delivery_profile values (%s, 'nominals', 'sex', 'filled', '', 1)", number)
    for days in (51, 49):
        execute("insert into ops.stage_run (night, stage) values (%s, 'load')", before(days))
        execute("insert into ops.night_feed (night, feed, is_stale, reason) values (%s, 'police', false, 'on time')", before(days))
        for sent in (True, False):
            execute("insert into ops.alert (at, source, message, sent) values (%s, 'x', 'y', %s)", before(days), sent)
    assert run(dry_run=True)["ops"] == 3 + 1 + 3
    assert run()["ops"] == 3 + 1 + 3
    assert execute("select count(*) from ops.delivery") == execute("select count(*) from ops.delivery_file") == [(3,)]
    assert execute("select delivery_id from ops.delivery_profile order by 1") == [(older_but_compared,), (older_but_compared + 1,)]
    assert execute("select count(*), count(*) filter (where sent) from ops.alert") == [(3, 1)]


def test_the_record_of_the_live_night_stays_however_old(clean_db: Path) -> None:
    execute("insert into ops.publication (night, slot, is_live) values (%s, 'blue', true)", before(100))
    for days in (100, 101):
        execute("insert into ops.stage_run (night, stage) values (%s, 'model.marts')", before(days))
    assert run()["ops"] == 1
    assert execute("select night from ops.stage_run where stage = 'model.marts'") == [(before(100),)]


def test_work_reports_and_logs(clean_db: Path) -> None:
    stuck = came(30, "loaded")
    kept = [
        written(clean_db / "work" / "admit" / str(stuck) / "nominals.parquet", 30),
        written(clean_db / "work" / "admit" / ".unfinished-7" / "nominals.parquet", 1),
        written(clean_db / "work" / "dbt" / "target" / "partial_parse.msgpack", 300),
        written(clean_db / "reports" / f"{before(60)}.html"),
        written(clean_db / "reports" / "latest.html"),
        written(clean_db / "airflow" / "logs" / "dag_id=link" / "new.log", 7),
        written(clean_db / "airflow" / "dags-as-delivered.txt", 300),
    ]
    gone = [
        written(clean_db / "work" / "admit" / ".unfinished-8" / "nominals.parquet", 3),
        written(clean_db / "work" / "link" / "private-score" / "evidence.parquet", 3),
        written(clean_db / "reports" / f"{before(61)}.html"),
        written(clean_db / "airflow" / "logs" / "dag_id=link" / "run_id=1" / "old.log", 8),
        written(clean_db / "work" / "dbt" / "logs" / "2026-11-01.marts.log", 8),
    ]
    assert {zone: run(dry_run=True)[zone] for zone in ("work", "reports", "logs")} == {"work": 2, "reports": 1, "logs": 2}
    assert all(path.exists() for path in kept + gone)
    run()
    assert [path for path in kept if not path.exists()] == []
    assert [path for path in gone if path.exists()] == []
    assert not (clean_db / "airflow" / "logs" / "dag_id=link" / "run_id=1").exists()


def test_another_airflow_of_the_caller_is_left_alone(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = written(tmp_path / "logs" / "dag_id=link" / "old.log", 100)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert run()["logs"] == 0
    assert foreign.exists()


def test_a_dry_run_records_nothing_and_a_run_records_every_zone(clean_db: Path) -> None:
    came(30, "refused")
    run(dry_run=True)
    assert execute("select count(*) from ops.retention_run") == execute("select count(*) from ops.stage_run") == [(0,)]
    run()
    recorded = execute("select zone, night, older from ops.retention_run")
    assert sorted(zone for zone, _, _ in recorded) == sorted(zones.ZONES)
    assert {(night, older) for zone, night, older in recorded if zone == "landing"} == {(NIGHT, before(10))}
    assert execute("select stage, status from ops.stage_run") == [("retention", "ok")]


def test_a_zone_that_fails_does_not_keep_the_others(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: zones.Task) -> int:
        raise DatabaseFault("remove it", "53100")

    monkeypatch.setitem(zones.ZONES, "quarantine", fail)
    with pytest.raises(RetentionFault, match=r"quarantine \(Database error while trying to remove it: SQLSTATE 53100\)"):
        run()
    recorded = {zone for (zone,) in execute("select zone from ops.retention_run")}
    assert recorded == set(zones.ZONES) - {"quarantine"}
    assert execute("select status from ops.stage_run") == [("failed",)]
