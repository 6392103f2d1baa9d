"""Collecting from an agency's SFTP server: a real server, its keys, connections that drop, files that change."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from tests.integration.inboxes import ALIASES, NIGHT, deliveries, end, landed
from tests.integration.sftp_server import Files, Server, sftp_server

from warehouse.receive import sftp
from warehouse.receive.errors import ReceiveError
from warehouse.receive.sftp import SftpRefused, SftpUnreachable, clear_landed, collect, spool
from warehouse.receive.stage import receive
from warehouse.settings import settings

pytestmark = pytest.mark.integration


@pytest.fixture
def server(warehouse_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The police's server, with an empty folder, and an empty spool of ours."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # no keys and known hosts of whoever runs the tests
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    for path in spool("police").iterdir():
        path.unlink()
    with sftp_server(tmp_path / "agency") as running:
        monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", running.connection())
        yield running


def upload(tmp_path: Path, name: str, content: bytes, at: int = 1_700_000_000) -> None:
    path = tmp_path / "agency" / name
    path.write_bytes(content)
    os.utime(path, (at, at))


def spooled() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in spool("police").iterdir() if not path.name.startswith(".")}


def test_files_are_collected_once_and_again_when_they_change(server: Server, tmp_path: Path) -> None:
    upload(tmp_path, "aliases.csv", ALIASES)
    upload(tmp_path, "nominals.csv.part", b"half")
    upload(tmp_path, ".hidden", b"x")
    (tmp_path / "agency" / "folder").mkdir()
    assert collect("police") == 1 and spooled() == {"aliases.csv": ALIASES}
    assert collect("police") == 0
    upload(tmp_path, "aliases.csv", b"corrected", at=1_700_000_100)
    assert collect("police") == 1 and spooled() == {"aliases.csv": b"corrected"}
    (tmp_path / "agency" / "aliases.csv").unlink()  # taken back before it landed
    assert collect("police") == 0 and spooled() == {}
    assert oct(spool("police").stat().st_mode & 0o777) == "0o700"


def test_what_has_landed_leaves_the_spool_and_is_not_fetched_again(server: Server, clean_db: Path, tmp_path: Path) -> None:
    upload(tmp_path, "aliases.csv", ALIASES)
    upload(tmp_path, "addresses.zip", b"no archive")
    collect("police")
    refused = receive("police", settings().spool_dir, NIGHT)
    assert deliveries() == [(refused, NIGHT, "refused")] and clear_landed("police") == 0
    upload(tmp_path, "addresses.zip", b"", at=1_700_000_100)
    (tmp_path / "agency" / "addresses.zip").unlink()
    collect("police")
    delivery_id = receive("police", settings().spool_dir, NIGHT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == {"aliases.csv": ALIASES}
    end(delivery_id, "admitted")
    assert clear_landed("police") == 1 and spooled() == {}
    assert collect("police") == 0 and spooled() == {}


def test_a_dropped_connection_leaves_nothing_visible_and_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    upload(tmp_path, "aliases.csv", content)
    Files.may_send = 2 << 20
    with pytest.raises(SftpUnreachable, match="was lost"):
        collect("police")
    assert spooled() == {}
    partial = [path.stat().st_size for path in spool("police").iterdir() if path.name.startswith(sftp.PARTIAL)]
    assert partial and 0 < partial[0] < len(content)
    Files.may_send = len(content) - partial[0] + (1 << 16)  # enough for the rest alone
    assert collect("police") == 1 and spooled() == {"aliases.csv": content}


def test_a_part_of_an_older_state_is_not_continued(server: Server, tmp_path: Path) -> None:
    upload(tmp_path, "aliases.csv", bytes(2 << 20))
    Files.may_send = 1 << 20
    with pytest.raises(SftpUnreachable):
        collect("police")
    Files.may_send = None
    content = b"\1" * (2 << 20)
    upload(tmp_path, "aliases.csv", content, at=1_700_000_100)
    assert collect("police") == 1 and spooled() == {"aliases.csv": content}
    assert not [path for path in spool("police").iterdir() if path.name.startswith(sftp.PARTIAL)]


def test_a_file_that_changes_while_it_is_fetched_is_left_for_the_next_time(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(tmp_path, "aliases.csv", ALIASES[:20])
    plain = Files.read

    def growing(self: Files, file_obj: object, offset: int, size: int) -> bytes:
        upload(tmp_path, "aliases.csv", ALIASES, at=int(time.time()))
        return plain(self, file_obj, offset, size)

    monkeypatch.setattr(Files, "read", growing)
    assert collect("police") == 0 and spooled() == {}
    monkeypatch.setattr(Files, "read", plain)
    assert collect("police") == 1 and spooled() == {"aliases.csv": ALIASES}


def test_a_file_that_is_too_large_is_left_there_and_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.receive.sftp.largest", lambda _: 1000)
    upload(tmp_path, "aliases.csv", ALIASES)
    upload(tmp_path, "a_dump.csv", bytes(1001))
    with pytest.raises(SftpRefused, match=r"a_dump\.csv on the agency's server is larger"):
        collect("police")
    assert spooled() == {"aliases.csv": ALIASES}


def test_a_full_disk_is_not_taken_for_a_lost_connection(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(tmp_path, "aliases.csv", ALIASES)

    def full(self: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("warehouse.receive.sftp.memoryview", full, raising=False)
    with pytest.raises(ReceiveError, match="could not be written to the spool"):
        collect("police")
    assert spooled() == {}


def test_a_wrong_key_is_told_at_once_and_tried_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", server.connection(private_key=other))
    started = time.monotonic()
    with pytest.raises(SftpRefused, match=r"does not accept our key for police at 127\.0\.0\.1"):
        collect("police")
    assert len(server.logins) == 1 and time.monotonic() - started < 10


def test_an_unknown_or_changed_host_key_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", server.connection(host_key=None))
    with pytest.raises(SftpRefused, match="is not known"):
        collect("police")
    other = " ".join(asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[:2])
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", server.connection(host_key=other))
    with pytest.raises(SftpRefused, match="is not the one we know"):
        collect("police")
    assert server.logins == []


@pytest.mark.parametrize("extra", [{"host_key": None, "no_host_key_check": "true"}, {"host_key": None, "allow_host_key_change": "true"}])
def test_a_connection_that_would_skip_the_check_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch, extra: dict) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", server.connection(**extra))
    with pytest.raises(SftpRefused, match="does not check the server's key"):
        collect("police")
    assert server.logins == []


def test_a_server_that_is_down_may_be_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    away = json.loads(server.connection()) | {"port": 1}
    monkeypatch.setenv("AIRFLOW_CONN_SFTP_POLICE", json.dumps(away))
    with pytest.raises(SftpUnreachable, match=r"127\.0\.0\.1:1 was lost or not made"):
        collect("police")
