"""Receive a delivery: find the feed's files, copy them untouched to the landing area, register them."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from psycopg import Connection

from warehouse.admit.deliveries import RECEIVED_RULE, lock_feed
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract
from warehouse.database import clean_errors, connect, ops
from warehouse.settings import settings

BLOCK_BYTES = 1 << 20
UNFINISHED = ".unfinished-"
SHOWN_NAMES = 10


@dataclass(frozen=True)
class ReceivedFile:
    """A file of the delivery, copied."""

    table: str
    name: str
    size: int
    sha256: str
    has_rows: bool


def receive(feed: str, inbox: Path, night: date) -> int | None:
    """Take what lies in `<inbox>/<feed>/` for a night.

    The files stay where they are. The same files again give the same delivery for the same night, whatever its status
    (a refused one is opened again); for a later night it is registered as a duplicate, which the other stages pass over.

    Returns:
        The delivery's id; None when nothing came.

    Raises:
        ContractError: there is no such feed.
        DatabaseFault: the delivery could not be registered.
    """
    contract = load_contract(feed)
    with ops.stage_run(night, "receive", feed) as run:
        found = _files_in(inbox / feed)
        run.count("files", len(found))
        return _take(contract, found, night) if found else None


def _take(contract: Contract, found: list[Path], night: date) -> int:
    """Copy and register the files found for a feed; returns the delivery's id."""
    feed = contract.feed
    by_table, unexpected = sort_out(contract, found)
    with clean_errors(f"register the delivery of {feed}"), connect("loader") as connection:
        lock_feed(feed, connection)
        area = settings().landing_dir / feed
        _clear_unregistered(area, feed, connection)
        unfinished = area / f"{UNFINISHED}{secrets.token_hex(8)}"
        unfinished.mkdir(parents=True)
        received = [_copy(table, path, unfinished) for table, path in by_table]
        digest = content_hash(contract, received, night)
        delivery_id, is_new = _register(contract, night, digest, connection)
        if is_new:
            _record_files(delivery_id, received, unexpected, connection)
            _sync(unfinished)
            unfinished.rename(area / str(delivery_id))
            _sync(area)
        else:
            shutil.rmtree(unfinished)
    return delivery_id


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def sort_out(contract: Contract, found: list[Path]) -> tuple[list[tuple[str, Path]], list[str]]:
    """The files of each table, and the names of files that belong to none."""
    by_table = [(table.name, path) for table in contract.tables.values() for path in found if fnmatchcase(path.name, table.file)]
    known = {path for _, path in by_table}
    return by_table, [path.name for path in found if path not in known]


def _copy(table: str, path: Path, folder: Path) -> ReceivedFile:
    """Copy a file to stable storage, hashing it on the way."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, (folder / path.name).open("xb") as copy:
        while block := source.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    return ReceivedFile(table, path.name, size, digest.hexdigest(), _has_rows(path))


def _has_rows(path: Path) -> bool:
    """Whether anything follows the header."""
    with path.open("rb") as stream:
        return bool(stream.readline()) and bool(stream.readline().strip())


def content_hash(contract: Contract, received: list[ReceivedFile], night: date) -> str:
    """One hash for the delivery, whatever the order of its files.

    File names are part of it: the files of a night that undoes the changes of another hold the same bytes under another
    name, and must not pass for a repetition. A delivery of changes without a single row says that nothing changed up to its
    night, which is another statement each night although the files may be alike in name too.
    """
    parts = sorted(f"{file.name}:{file.sha256}" for file in received)
    if contract.delivery.kind == "changes" and not any(file.has_rows for file in received):
        parts.append(night.isoformat())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _register(contract: Contract, night: date, digest: str, connection: Connection[Any]) -> tuple[int, bool]:
    """The id of the delivery with this content, and whether its files are still to be kept."""
    feed, coverage_end = contract.feed, night - timedelta(days=contract.delivery.coverage_lag_days)
    known = connection.execute(
        "select delivery_id, night, status from ops.delivery where feed = %s and content_hash = %s order by delivery_id desc", [feed, digest]
    ).fetchall()
    for delivery_id, known_night, status in known:
        if known_night == night and status == "refused":
            connection.execute("update ops.delivery set status = 'received', message = null, finished_at = null where delivery_id = %s", [delivery_id])
        # One that never ended is taken up again, even on a later night: nobody else will bring its rows.
        if known_night == night or status in ("received", "loaded", "checked"):
            return delivery_id, False
    admitted = next((row for row in known if row[2] == "admitted"), None)
    message = f"Same content as delivery {admitted[0]} of {admitted[1]}" if admitted else None
    inserted = connection.execute(
        "insert into ops.delivery (feed, night, coverage_end, content_hash, status, message, finished_at)"
        " values (%s, %s, %s, %s, %s, %s, case when %s then now() end) returning delivery_id",
        [feed, night, coverage_end, digest, "duplicate" if admitted else "received", message, admitted is not None],
    ).fetchone()
    assert inserted is not None  # insert ... returning always gives its row
    return inserted[0], True


def _record_files(delivery_id: int, received: list[ReceivedFile], unexpected: list[str], connection: Connection[Any]) -> None:
    connection.cursor().executemany(
        "insert into ops.delivery_file (delivery_id, table_name, file_name, bytes, sha256) values (%s, %s, %s, %s, %s)",
        [(delivery_id, file.table, file.name, file.size, file.sha256) for file in received],
    )
    if unexpected:
        names = ", ".join(unexpected[:SHOWN_NAMES]) + (f" and {len(unexpected) - SHOWN_NAMES} more" if len(unexpected) > SHOWN_NAMES else "")
        connection.execute(
            "insert into ops.check_result (delivery_id, table_name, rule, severity, failed_rows, message) values (%s, '', %s, 'warn', %s, %s)",
            [delivery_id, RECEIVED_RULE, len(unexpected), f"Files that belong to no table of the feed were left in the inbox: {names}"],
        )


def _clear_unregistered(area: Path, feed: str, connection: Connection[Any]) -> None:
    """Remove copies left by runs that were killed before they registered them: they hold people's data and nobody knows of them."""
    if not area.is_dir():
        return
    known = {str(row[0]) for row in connection.execute("select delivery_id from ops.delivery where feed = %s", [feed]).fetchall()}
    for folder in area.iterdir():
        if folder.name not in known:
            shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Make a folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
