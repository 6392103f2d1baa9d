"""How long a night waits, for a folder and for an SFTP server, and that nobody stops it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from tests.integration.inboxes import ALIASES, NIGHT, deliveries, landed, manifest, put, query
from tests.integration.sftp_server import Server, sftp_server

from warehouse.orchestrate.arrival import Verdict, cut_off, look_once, next_look
from warehouse.orchestrate.sftp_sensor import SftpArrival, SftpChange
from warehouse.receive import sftp
from warehouse.settings import Settings, settings

pytestmark = pytest.mark.integration
BEFORE, AFTER = datetime(2026, 11, 1, 5, 59, tzinfo=UTC), datetime(2026, 11, 1, 6, 0, tzinfo=UTC)


@pytest.fixture
def until_six(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "cut_off", "06:00")


def alerts() -> list[str]:
    return [message for (message,) in query("select message from ops.alert order by alert_id")]


def test_the_cut_off_is_london_time_of_the_nights_own_date(until_six: None) -> None:
    assert cut_off(NIGHT) == AFTER
    assert cut_off(NIGHT.replace(month=7)) == datetime(2026, 7, 1, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize("told", ["soon", "25:00"])
def test_a_cut_off_that_is_no_time_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="cut_off"):
        Settings(cut_off=told)


def test_a_silent_agency_is_waited_for_until_the_cut_off(clean_db: Path, tmp_path: Path, until_six: None) -> None:
    assert look_once("police", tmp_path, NIGHT, BEFORE) == Verdict(None)
    assert next_look("police", NIGHT, Verdict(None), BEFORE) == AFTER
    assert look_once("police", tmp_path, NIGHT, AFTER) == Verdict([])
    assert alerts() == []  # lateness is judged for the night as a whole


def test_half_a_delivery_is_left_at_the_cut_off_with_an_alert(clean_db: Path, tmp_path: Path, until_six: None) -> None:
    inbox = put(tmp_path, {"manifest.json": manifest(NIGHT, {"aliases.csv": ALIASES, "nominals.csv": ALIASES}), "aliases.csv": ALIASES})
    assert look_once("police", inbox, NIGHT, BEFORE) == Verdict(None)
    assert look_once("police", inbox, NIGHT, AFTER) == Verdict([])
    assert deliveries() == []
    assert alerts() == ["The night goes on without 2 files of police that are not whole: aliases.csv, manifest.json"]


def test_a_file_still_changing_at_the_cut_off_is_left(clean_db: Path, tmp_path: Path, until_six: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "settle_seconds", 30)
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    assert look_once("police", inbox, NIGHT, BEFORE) == Verdict(None, settling=True)
    assert look_once("police", inbox, NIGHT, AFTER) == Verdict([]) and deliveries() == []
    assert len(alerts()) == 1


def test_a_night_by_hand_waits_for_files_to_settle_and_for_nothing_else(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_once("police", tmp_path, NIGHT, BEFORE) == Verdict([])
    monkeypatch.setattr(settings(), "settle_seconds", 30)
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    waiting = look_once("police", inbox, NIGHT, BEFORE)
    assert waiting == Verdict(None, settling=True)
    assert next_look("police", NIGHT, waiting, BEFORE) == BEFORE + timedelta(seconds=31)
    monkeypatch.setattr(settings(), "settle_seconds", 0)
    assert look_once("police", inbox, NIGHT, BEFORE) == Verdict([1])


@pytest.fixture
def server(warehouse_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    for path in sftp.spool("police").iterdir():
        path.unlink()
    with sftp_server(tmp_path / "agency") as running:
        monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", running.connection())
        yield running


def fired(known: dict[str, list[int]], seconds: float) -> dict:
    """What the trigger fires with, when it is to look for so many seconds."""

    async def run() -> dict:
        trigger = SftpChange("police", known, (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(), 0.2)
        path, arguments = trigger.serialize()
        assert path == "warehouse.orchestrate.sftp_sensor.SftpChange"
        async for event in SftpChange(**arguments).run():
            return dict(event.payload)
        raise AssertionError("The trigger ended without an event")

    return asyncio.run(run())


def test_the_trigger_fires_for_files_that_are_new_and_have_stopped_changing(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "agency" / "aliases.csv"
    path.write_bytes(ALIASES)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert fired({}, 20) == {"reason": "changed"}
    known = {"aliases.csv": [len(ALIASES), 1_700_000_000]}
    assert fired(known, 1.5) == {"reason": "time"}
    os.utime(path, (1_700_000_001, 1_700_000_001))
    assert fired(known, 20) == {"reason": "changed"}


def test_the_trigger_outlives_a_server_that_is_down_or_unknown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", server.connection(host_key=None))
    assert fired({}, 1.5) == {"reason": "time"}
    assert sftp.connection_id("police") == "sftp_police" and server.logins == []


def sensed(night: date = NIGHT) -> list[int]:
    """What the sensor of the police's server does when its task runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.orchestrate.dag_defaults.night_of_run", lambda: night)
        return SftpArrival(task_id="receive", feed="police", poke_interval=0.2).execute({})


def test_the_sensor_collects_takes_and_clears_the_spool(server: Server, clean_db: Path, tmp_path: Path) -> None:
    with pytest.raises(AirflowSkipException, match="Nothing came from police"):
        sensed()
    (tmp_path / "agency" / "aliases_20261101.csv").write_bytes(ALIASES)
    assert sensed() == [1]
    assert [path.name for path in sftp.spool("police").iterdir()] == [sftp.COLLECTED]
    assert landed(clean_db, 1) == {"aliases_20261101.csv": ALIASES}


def test_the_sensor_waits_in_the_triggerer_until_the_cut_off(
    server: Server, clean_db: Path, tmp_path: Path, until_six: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = date(2999, 1, 1)
    with pytest.raises(TaskDeferred) as deferred:
        sensed(far)
    assert deferred.value.trigger.serialize()[1] == {"feed": "police", "known": {}, "wake_at": "2999-01-01T06:00:00+00:00", "poll_seconds": 0.2}
    (tmp_path / "agency" / "aliases_29990101.csv").write_bytes(ALIASES)
    monkeypatch.setattr(settings(), "settle_seconds", 30)
    with pytest.raises(TaskDeferred) as settling:  # collected, but it may still grow
        sensed(far)
    arguments = settling.value.trigger.serialize()[1]
    assert list(arguments["known"]) == ["aliases_29990101.csv"] and arguments["wake_at"] < "2900"
    with pytest.raises(AirflowSkipException):
        sensed()  # long past the cut-off of that night, and nothing is for it


def test_the_sensor_fails_at_once_for_a_key_and_in_the_end_for_a_server_that_is_down(
    server: Server, clean_db: Path, until_six: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", server.connection(host_key=None))
    with pytest.raises(AirflowFailException, match="is not known"):
        sensed()
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", json.dumps(json.loads(server.connection()) | {"port": 1}))
    with pytest.raises(TaskDeferred):
        sensed(date(2999, 1, 1))
    with pytest.raises(sftp.SftpUnreachable):
        sensed()
