"""Take one delivery: copy its files to the landing area, hold them against their manifest, and enter it in the registry."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from warehouse.contracts.model import Contract
from warehouse.receive import registry
from warehouse.receive.batches import Batch, shown, table_of
from warehouse.receive.copying import Copied, copy_stream, has_rows, sync_folder
from warehouse.receive.errors import ArrivalFault
from warehouse.receive.opening import Opened, Piece, largest
from warehouse.receive.registry import Entry, Known, ReceivedFile
from warehouse.settings import settings

UNFINISHED = ".unfinished-"
# Deliveries of a night whose files still stand where they are not sent again.
STANDING = ("admitted", "refused", *registry.UNDER_WAY)


def landing_area(feed: str) -> Path:
    """Where the feed's deliveries are kept, readable by the warehouse's account alone."""
    area = settings().landing_dir / feed
    area.mkdir(parents=True, exist_ok=True)
    area.chmod(0o700)
    return area


@contextmanager
def unfinished_folder(area: Path) -> Iterator[Path]:
    """A private folder for work in the landing area; removed at the end unless it was given another name."""
    folder = area / f"{UNFINISHED}{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_unregistered(area: Path, known: dict[int, Known]) -> None:
    """Remove copies left by runs that were killed before they registered them: they hold people's data and nobody knows of them."""
    for folder in area.iterdir():
        if folder.name not in {str(delivery_id) for delivery_id in known}:
            shutil.rmtree(folder)


def take(contract: Contract, batch: Batch, known: dict[int, Known], connection: Connection[Any]) -> int:
    """Copy and register one delivery in one transaction; killed at any moment, it leaves nothing visible.

    Raises:
        Replaced: one of its files changed meanwhile; nothing was registered.
        ReceiveError: a file cannot be read, or the disk is full.
        psycopg.Error: the database refused.
    """
    area = landing_area(contract.feed)
    with unfinished_folder(area) as folder, connection.transaction():
        received, faults = _copy_pieces(contract, batch, folder)
        earlier = None if batch.has_manifest else _earlier(batch.night, known)
        kept: list[ReceivedFile] = []
        if earlier and received:
            kept, gone = _keep_earlier(contract, received, earlier, area, folder, connection)
            faults += gone
        if earlier and not received and not faults:
            # Nothing but files that belong to no table: they add nothing to the delivery of the night.
            registry.mark_seen(contract.feed, earlier.delivery_id, [one.item for one in batch.items], connection)
            return earlier.delivery_id
        digest = _hash_as_sent(batch) if faults else content_hash(contract, [*received, *kept], batch.night, batch.is_stated)
        unexpected = [piece.name for piece in batch.pieces if table_of(contract, piece.name) is None]
        items = [one.item for one in batch.items]
        entry = Entry(batch.night, digest, [*received, *kept], items, unexpected, faults, [file.name for file in kept])
        delivery_id, keep = registry.enter(contract, entry, connection)
        if keep:
            sync_folder(folder)
            folder.rename(area / str(delivery_id))
            sync_folder(area)
    return delivery_id


def content_hash(contract: Contract, received: list[ReceivedFile], night: date, is_stated: bool = False) -> str:
    """One hash for the delivery, whatever the order of its files.

    File names are part of it: the files of a night that undoes the changes of another hold the same bytes under another
    name, and must not pass for a repetition. So is a night that a manifest or an archive's name states. A delivery of changes or events
    without a single row says that nothing changed up to its night, which is another statement each night although the files
    may be alike in name too.
    """
    parts = sorted(f"{file.name}:{file.sha256}" for file in received)
    if is_stated or (contract.delivery.kind != "snapshot" and not any(file.has_rows for file in received)):
        parts.append(night.isoformat())
    return _digest(parts)


def _hash_as_sent(batch: Batch) -> str:
    """What tells a delivery that cannot be opened from others: the names, sizes and times of its files."""
    return _digest(["not opened", *sorted(":".join(map(str, one.item.mark)) for one in batch.items)])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _copy_pieces(contract: Contract, batch: Batch, folder: Path) -> tuple[list[ReceivedFile], list[ArrivalFault]]:
    """Copy the files that belong to a table; what is wrong with them is added to what is known to be wrong with the delivery."""
    received: dict[str, ReceivedFile] = {}
    faults = list(batch.faults)
    for piece in batch.pieces:
        table = table_of(contract, piece.name)
        if table is None or piece.name in received:
            continue
        try:
            copied = piece.copy_to(folder / piece.name, largest(contract.feed, table))
        except ArrivalFault as fault:
            (folder / piece.name).unlink(missing_ok=True)
            faults.append(fault)
            continue
        received[piece.name] = ReceivedFile(table, piece.name, copied.size, copied.sha256, has_rows(folder / piece.name))
        faults += _broken_promises(batch, piece, copied)
    return list(received.values()), faults


def _broken_promises(batch: Batch, piece: Piece, copied: Copied) -> list[ArrivalFault]:
    """How a file differs from what its manifest says about it, or about the file it was wrapped in."""
    wrapper = next(one for one in batch.items if one.item == piece.item)
    faults = []
    outer = batch.promises.get(piece.item.name)
    if outer is not None and outer.sha256 != _sent_hash(wrapper, piece, copied):
        faults.append(_other_content(outer.name))
    inner = batch.promises.get(piece.name) if piece.name != piece.item.name else None
    if inner is not None and inner.sha256 != copied.sha256:
        faults.append(_other_content(inner.name))
    # A quoted field may hold line ends, so that a file may well have more lines than rows, but never fewer.
    rows = [promise.rows for promise in (outer, inner) if promise is not None and promise.rows is not None]
    if len(wrapper.pieces) == 1 or inner is not None:
        faults += [_other_rows(piece.name, promised, copied) for promised in rows if promised >= copied.lines]
    return faults


def _sent_hash(wrapper: Opened, piece: Piece, copied: Copied) -> str:
    return copied.sha256 if piece.place is None else str(wrapper.sha256)


def _other_content(name: str) -> ArrivalFault:
    return ArrivalFault("manifest", f"{name} does not have the SHA-256 that the manifest tells: it was altered on its way, or the manifest is of another file")


def _other_rows(name: str, promised: int, copied: Copied) -> ArrivalFault:
    return ArrivalFault("manifest", f"{name} should have {promised} rows by its manifest, but has only {copied.lines} lines; send the whole file again")


def _earlier(night: date, known: dict[int, Known]) -> Known | None:
    """The delivery that stands for a night so far."""
    return next((one for _, one in sorted(known.items(), reverse=True) if one.night == night and one.status in STANDING), None)


def _keep_earlier(
    contract: Contract, received: list[ReceivedFile], earlier: Known, area: Path, folder: Path, connection: Connection[Any]
) -> tuple[list[ReceivedFile], list[ArrivalFault]]:
    """Copy from the night's delivery before the files of tables that were not sent again.

    A later delivery of a night replaces the earlier one as a whole. Without a manifest nobody says that a table which is not sent
    again shall be withdrawn, and a forgotten or corrected file is usually sent alone.
    """
    sent = {file.table for file in received}
    kept: list[ReceivedFile] = []
    gone: list[str] = []
    for table, names in registry.landed_files(earlier.delivery_id, connection).items():
        for name in names if table not in sent and table in contract.tables else []:
            source, target = area / str(earlier.delivery_id) / name, folder / name
            if not source.is_file():
                gone.append(name)
            elif not target.exists():
                with source.open("rb", buffering=0) as stream:
                    copied = copy_stream(stream.read, name, target, None)
                kept.append(ReceivedFile(table, name, copied.size, copied.sha256, has_rows(target)))
    if not gone:
        return kept, []
    message = f"the files that came before for the night of {earlier.night} are no longer kept ({shown(gone)}); send all files of the night again"
    return kept, [ArrivalFault("incomplete_night", message)]
