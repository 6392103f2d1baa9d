"""Files that change while they are read, grow, or come after their manifest: what is taken is always one whole state of them."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenarios.agencies import NIGHT, golden, ingest, nominal, nominals, police
from tests.scenarios.ingested import difference, leftovers, must_be_same, state
from tests.scenarios.workers import AtFile, run, stopped

from warehouse.database import connect
from warehouse.receive.errors import NotArrived
from warehouse.receive.stage import receive
from warehouse.settings import settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BEFORE = [nominal(number) for number in range(1, 20)]
AFTER = [nominal(number, surname="Corrected") for number in range(1, 20)]
COPYING = AtFile("open", "*/.unfinished-*/nominals_*")


def append(path: Path, corrected: bytes) -> None:
    """A process writes on at the end of the file."""
    with path.open("ab") as stream:
        stream.write(nominal(99).encode() + b"\n")


def swap(path: Path, corrected: bytes) -> None:
    """An upload puts a new file in the old one's place."""
    path.with_name(".upload").write_bytes(corrected)
    path.with_name(".upload").replace(path)


def write_over(path: Path, corrected: bytes) -> None:
    """An upload writes into the file itself, and sets its times back to the original's as some programs do."""
    times = path.stat()
    path.write_bytes(corrected)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut(path: Path, corrected: bytes) -> None:
    """An upload begins anew and has written half of the file."""
    path.write_bytes(corrected[: len(corrected) // 2])


def remove(path: Path, corrected: bytes) -> None:
    """The agency takes its file away."""
    path.unlink()


def nothing_was_taken(home: Path) -> bool:
    """Whether neither the registry nor the landing area knows of any delivery."""
    with connect("admin") as connection:
        registered = connection.execute("select (select count(*) from ops.delivery) + (select count(*) from ops.inbox_file)").fetchone()
    return registered == (0,) and not list((home / "landing").glob("*/*")) and leftovers(home) == []


@pytest.mark.parametrize("change", [append, swap, write_over, cut, remove])
def test_a_file_replaced_while_it_is_read(change: Callable[[Path, bytes], None], clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    corrected = police(tmp_path / "corrected", 1, AFTER)
    run(ingest(corrected, "police"))
    undisturbed = state(clean_db)
    wipe_database()
    inbox = police(tmp_path / "inbox", 1, BEFORE)
    with stopped(ingest(inbox, "police", last="receive"), COPYING) as worker:
        change(nominals(inbox), nominals(corrected).read_bytes())
        worker.go_on()
        outcome = worker.outcome()
    assert outcome.error == "warehouse.receive.errors.NotArrived"
    assert "nominals_20261101.csv was replaced while it was read" in outcome.message
    assert nothing_was_taken(clean_db)
    police(tmp_path / "inbox", 1, AFTER)
    run(ingest(inbox, "police"))
    must_be_same(state(clean_db), undisturbed)


def test_an_archive_replaced_while_it_is_read(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    inbox = golden(tmp_path, "police", 1)
    run(ingest(inbox, "police"))
    undisturbed = state(clean_db)
    wipe_database()
    files = {path.name: path.read_bytes() for path in (inbox / "police").iterdir()}
    for path in (inbox / "police").iterdir():
        path.unlink()
    packed = inbox / "police" / "police_20261101.zip"
    pack(packed, {name: content[:-40] for name, content in files.items()})
    with stopped(ingest(inbox, "police", last="receive"), AtFile("open", "*/.unfinished-*/*")) as worker:
        pack(packed, files)
        worker.go_on()
        outcome = worker.outcome()
    assert outcome.error == "warehouse.receive.errors.NotArrived"
    assert nothing_was_taken(clean_db)
    run(ingest(inbox, "police"))
    found = state(clean_db)
    assert {"inbox"} == difference(found, undisturbed).keys()  # there the archive stands for its files


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write a zip archive over what is there."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def grow(path: Path, content: bytes, pause: float, told: multiprocessing.connection.Connection) -> None:
    """Write a file slowly, as an upload does."""
    step = len(content) // 20 + 1
    with path.open("wb", buffering=0) as stream:
        for begin in range(0, len(content), step):
            stream.write(content[begin : begin + step])
            told.send(begin)
            time.sleep(pause)


def test_a_growing_file_is_not_read(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = police(tmp_path / "inbox", 1, AFTER)
    run(ingest(inbox, "police"))
    undisturbed = state(clean_db)
    wipe_database()
    path = nominals(inbox)
    content = path.read_bytes()
    path.unlink()
    monkeypatch.setattr(settings(), "settle_seconds", 1)
    forks = multiprocessing.get_context("forkserver")
    ours, theirs = forks.Pipe()
    upload = forks.Process(target=grow, args=(path, content, 0.1, theirs), daemon=True)
    upload.start()
    looks = 0
    limit = time.monotonic() + 60
    try:
        assert ours.poll(60)
        while True:
            assert time.monotonic() < limit
            try:
                receive("police", inbox, NIGHT)
                break
            except NotArrived as not_yet:
                assert not_yet.settling
                assert nothing_was_taken(clean_db)
                looks += 1
                time.sleep(0.1)
    finally:
        upload.kill()
        upload.join(60)
    assert looks > 10
    assert path.read_bytes() == content  # the upload was over when the file was taken
    run(ingest(inbox, "police"))
    must_be_same(state(clean_db), undisturbed)


def test_a_manifest_that_comes_before_its_files(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = golden(tmp_path, "police", 1)
    files = {path.name: path.read_bytes() for path in (inbox / "police").iterdir()}
    promised = [{"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()]
    (inbox / "police" / "manifest.json").write_text(json.dumps({"feed": "police", "night": "2026-11-01", "files": promised}), encoding="utf-8")
    run(ingest(inbox, "police"))
    undisturbed = state(clean_db)
    wipe_database()
    for name in files:
        (inbox / "police" / name).unlink()
    # A manifest says when its files are whole: there is no need to wait until they have settled.
    monkeypatch.setattr(settings(), "settle_seconds", 3600)
    for name, content in files.items():
        for part in (content[:0], content[: len(content) // 2], content[:-1]):
            (inbox / "police" / name).write_bytes(part)
            with pytest.raises(NotArrived):
                receive("police", inbox, NIGHT)
            assert nothing_was_taken(clean_db)
        (inbox / "police" / name).write_bytes(content)
    assert receive("police", inbox, NIGHT) is not None
    run(ingest(inbox, "police"))
    must_be_same(state(clean_db), undisturbed)
