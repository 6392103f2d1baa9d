"""The checkpoint of a delivery: what its files hold, typed, keyed and checked, as Parquet in a folder of its own.

`<home>/work/admit/<delivery_id>/`, readable by its owner only, made as `.unfinished-<delivery_id>` and renamed when whole:

- `<table>.rows.parquet`: one row per well-formed row of the file, in no certain order: `_row_number BIGINT` (1 is the first
  row after the header; malformed rows are counted, blank lines are not), `_withheld` and `_deleted BOOLEAN`, each key of the
  table as `UUID` (null where a part of it is missing, except for the row key), every column of the contract under its
  lower-case name with its type (`VARCHAR`, `INTEGER`, `DATE`, `BOOLEAN`), `_row_hash` and `_identity_hash UUID` (the latter
  null where nothing goes to the vault), and `_broken SMALLINT[]`, which only `violations` reads. A row key made of the same
  columns as the record key, all of them required, is the record key. The hashes leave out what the key they are compared
  under already says.
- `<table>.violations.parquet`: one row per row and rule it broke: `_row_number BIGINT`, `rule`, `severity`, `column_name`,
  `record_id VARCHAR` (the agency's own ids, as "CLIENTID 123, EPISODID 4"; null for malformed rows), `record_key UUID`.
- `<table>.refused.parquet`: one row per row to be quarantined: `_row_number BIGINT`, `rules VARCHAR[]` (sorted), `raw VARCHAR`
  (JSON of the row as it came, without fields that held nothing), `record_key UUID`.
- `<table>.repeated.parquet`: `_row_number BIGINT` of rows that repeat an earlier one word for word and are not refused.
- `facts.json`: what was counted (`facts.Facts`).

It is a function of the landed files, contract, suite, thresholds and feed key. It holds people's data and can be made again
from the landed files at any time, so it is removed as soon as its delivery has ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.admit import deliveries
from warehouse.admit.deliveries import Delivery
from warehouse.admit.errors import full_disk_told
from warehouse.admit.facts import Facts
from warehouse.contracts import thresholds
from warehouse.contracts.model import Contract
from warehouse.contracts.suite import build as rules_of
from warehouse.database import clean_errors, connect
from warehouse.settings import settings

FACTS = "facts.json"
# To be raised when the same files give another checkpoint than before.
LAYOUT = 1


def folder(delivery_id: int) -> Path:
    """Where the checkpoint of a delivery lies."""
    return _area() / str(delivery_id)


def rows(delivery_id: int, table: str) -> Path:
    """The typed rows of a table."""
    return folder(delivery_id) / f"{table}.rows.parquet"


def violations(delivery_id: int, table: str) -> Path:
    """Which rows of a table broke which rules."""
    return folder(delivery_id) / f"{table}.violations.parquet"


def refused(delivery_id: int, table: str) -> Path:
    """The rows of a table to be quarantined."""
    return folder(delivery_id) / f"{table}.refused.parquet"


def repeated(delivery_id: int, table: str) -> Path:
    """The rows of a table that repeat an earlier one."""
    return folder(delivery_id) / f"{table}.repeated.parquet"


def build(delivery: Delivery, contract: Contract) -> Facts:
    """Read the delivery's files into a checkpoint; returns at once where it is whole already.

    Raises:
        FilesRefused: a file is missing or cannot be loaded; says why.
        AdmitFault: the files could not be read although they are sound, as when the disk is full.
        DatabaseFault: the registry of deliveries could not be read.
    """
    from warehouse.admit.building import build_into

    with _one_builder(delivery.feed):
        known = _whole(delivery, contract)
        if known is not None:
            return known
        remove(delivery.delivery_id)
        with clean_errors(f"list the files of delivery {delivery.delivery_id}"), connect("loader") as connection:
            files = deliveries.files(delivery, connection)
        unfinished = _unfinished(delivery.delivery_id)
        try:
            with full_disk_told(f"read the delivered files of {delivery.feed}", _area()):
                unfinished.mkdir(mode=0o700)
                built = build_into(unfinished, delivery.folder, delivery.night, contract, files, contract_hash(contract))
                (unfinished / FACTS).write_text(built.to_json(), encoding="utf-8")
                unfinished.rename(folder(delivery.delivery_id))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return built


def facts(delivery_id: int) -> Facts:
    """What was counted when the checkpoint was made.

    Raises:
        FileNotFoundError: there is no whole checkpoint.
    """
    return Facts.from_json((folder(delivery_id) / FACTS).read_text(encoding="utf-8"))


def is_whole(delivery: Delivery, contract: Contract) -> bool:
    """Whether the checkpoint is there, made under this very contract from the files as they now lie landed."""
    return _whole(delivery, contract) is not None


def remove(delivery_id: int) -> None:
    """Remove the checkpoint, whole or not; nothing happens where there is none."""
    # The facts first: without them, what a kill leaves of it does not pass for a checkpoint.
    (folder(delivery_id) / FACTS).unlink(missing_ok=True)
    shutil.rmtree(folder(delivery_id), ignore_errors=True)
    shutil.rmtree(_unfinished(delivery_id), ignore_errors=True)


def contract_hash(contract: Contract) -> str:
    """One hash for everything a checkpoint is made by besides the files: contract, suite, thresholds, and how we make it."""
    relevant = {
        check: sorted((*place, t.value, t.severity) for place, t in known.items() if place[0] in (thresholds.ANY, contract.feed))
        for check, known in thresholds.load().items()
    }
    rules = [(part.table.name, rule.document()) for part in rules_of(contract) for rule in part.rules]
    parts = [LAYOUT, contract.model_dump(mode="json"), rules, relevant]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _whole(delivery: Delivery, contract: Contract) -> Facts | None:
    """The facts of a whole checkpoint; None where there is none, also when another process is just removing it."""
    try:
        known = facts(delivery.delivery_id)
    except FileNotFoundError:
        return None
    if known.contract_hash != contract_hash(contract):
        return None
    for table in known.tables.values():
        landed = delivery.folder / table.file_name
        if not landed.exists() or (landed.stat().st_size, landed.stat().st_mtime_ns) != (table.file_bytes, table.file_changed_ns):
            return None
    return known


def _area() -> Path:
    return settings().work_dir / "admit"


def _unfinished(delivery_id: int) -> Path:
    return _area() / f".unfinished-{delivery_id}"


@contextmanager
def _one_builder(feed: str) -> Iterator[None]:
    """Let one process at a time build checkpoints of a feed. The operating system lets go of the lock however a process ends."""
    _area().mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(_area() / f".building-{feed}", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
