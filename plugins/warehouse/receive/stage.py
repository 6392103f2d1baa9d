"""The receive stage: find what an agency delivered, copy it untouched to the landing area, register it.

The inbox is the agency's area: its files stay where they are, and files that lie there unchanged since they were taken are
known by name, size and times and not read again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from psycopg import Connection

from warehouse.admit.deliveries import lock_feed
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract
from warehouse.database import clean_errors, connect, ops
from warehouse.receive import batches, manifest, registry
from warehouse.receive.batches import Sorted, shown
from warehouse.receive.cadence import due
from warehouse.receive.copying import Replaced
from warehouse.receive.errors import ArrivalFault, NotArrived
from warehouse.receive.inbox import Item, Look, is_settled, look
from warehouse.receive.opening import Opened, open_item
from warehouse.receive.registry import UNDER_WAY, Known, Mark
from warehouse.receive.taking import clear_unregistered, landing_area, take, unfinished_folder
from warehouse.settings import settings

# How long to wait: `whole` for all that is due, `settled` until nothing changes any more, `none` for nothing.
Patience = Literal["whole", "settled", "none"]


@dataclass
class Arrival:
    """What one look at an inbox came to: deliveries taken now, and those that its files were taken in before and that go on."""

    taken: list[int]
    before: list[int] = field(default_factory=list)


def receive(feed: str, inbox: Path, night: date) -> int | None:
    """Take what lies in `<inbox>/<feed>/` on a night, when nothing there changes any more.

    Returns:
        The delivery taken now, the last one where there were several; else the one that the files there were taken in before,
        when it is of this night or never ended; None when nothing came. It may be one that was refused at once: see its status.

    Raises:
        NotArrived: something lies there, but is not whole yet.
        ContractError: there is no such feed.
        ReceiveError: a file cannot be read or opened for a reason that is ours.
        DatabaseFault: the delivery could not be registered.
    """
    arrival = _receive(load_contract(feed), inbox / feed, night, "settled")
    ids = arrival.taken or arrival.before
    return ids[-1] if ids else None


def receive_all(feed: str, inbox: Path, night: date, patience: Patience = "settled") -> list[int]:
    """Take every delivery that lies in `<inbox>/<feed>/`, each for the night that it says it is for, oldest night first.

    Args:
        night: the night that is running, which files that say none are taken for.
        patience: `whole` waits for the delivery that is due, all tables of a snapshot and all files of a manifest; `settled`
            only for files that still change; `none` takes what is whole and leaves the rest.

    Returns:
        The deliveries to go on with, oldest night first: those taken now, those of this night, and those that never ended,
        wherever their files are by now. Refused ones among them: what they are refused for is in the registry.

    Raises:
        NotArrived: there is something to wait for; nothing was taken.
        ContractError, ReceiveError, DatabaseFault: as `receive`.
    """
    contract = load_contract(feed)
    arrival = _receive(contract, inbox / feed, night, patience)
    with clean_errors(f"look for deliveries of {feed}"), connect("loader") as connection:
        lock_feed(feed, connection)
        known = registry.of_feed(feed, connection)
        ids = {*arrival.taken, *arrival.before, *(one.delivery_id for one in known.values() if _goes_on(one, known, night, connection))}
    return sorted(ids, key=lambda delivery_id: (known[delivery_id].night, delivery_id))


def left_waiting(feed: str, inbox: Path) -> list[str]:
    """Names of the files that lie in the inbox of a feed without having been taken; for an alert when the night goes on without them."""
    with clean_errors(f"look for deliveries of {feed}"), connect("loader") as connection:
        items = look(inbox / feed).items
        seen = registry.seen(feed, items, connection)
    return [item.name for item in items if item.mark not in seen]


def _receive(contract: Contract, folder: Path, night: date, patience: Patience) -> Arrival:
    feed = contract.feed
    with clean_errors(f"register the delivery of {feed}"), connect("loader") as lock, connect("loader", autocommit=True) as connection:
        lock_feed(feed, lock)
        found = look(folder)
        known = registry.of_feed(feed, connection)
        seen = registry.seen(feed, found.items, connection)
        fresh = _fresh(found, seen, known, night)
        _wait_for_uploads(contract, found, fresh, patience)
        area = landing_area(feed)
        clear_unregistered(area, known)
        with unfinished_folder(area) as scratch:
            opened = _open(contract, found, fresh, scratch)
            result = batches.sort(contract, opened, night, registry.newest_night(night, connection))
            _wait_for_the_rest(contract, result, known, night, patience, connection)
            with ops.stage_run(night, "receive", feed) as run:
                arrival = Arrival([_take(contract, batch, connection) for batch in result.batches])
                arrival.before = _taken_before(seen, registry.of_feed(feed, connection), night, connection)
                run.count("files", len(found.items))
                run.count("new_files", len(fresh))
                run.count("deliveries", len(arrival.taken))
                run.count("files_for_later_nights", len(result.ahead))
    if result.missing and not arrival.taken and patience == "settled":
        raise NotArrived(feed, f"it lacks {'; '.join(result.missing)}")
    return arrival


def _fresh(found: Look, seen: dict[Mark, int], known: dict[int, Known], night: date) -> list[Item]:
    """The files that were not taken before. Those refused on arrival for this night are tried again: what was wrong may be mended."""
    retried = {one.delivery_id for one in known.values() if one.at_arrival and one.night == night and not _is_replaced(one, known)}
    return [item for item in found.items if item.mark not in seen or seen[item.mark] in retried]


def _changing(contract: Contract, found: Look, fresh: list[Item]) -> tuple[list[str], float]:
    """What changed too short a time ago to be read, and how long ago it should be, in seconds."""
    chosen = settings().settle_seconds
    seconds = float(contract.arrival.settle_seconds if chosen is None else chosen)
    now = time.time()
    names = [item.name for item in fresh if not is_settled(item, now, seconds)]
    return names + (["an upload"] if found.uploading is not None and found.uploading + seconds > now else []), seconds


def _wait_for_uploads(contract: Contract, found: Look, fresh: list[Item], patience: Patience) -> None:
    """Wait while a file changes, unless a manifest says how large it will be. With no patience left, leave what changes."""
    changing, seconds = _changing(contract, found, fresh)
    if patience != "none" and changing and not set(changing) <= _promised(contract, fresh):
        raise NotArrived(contract.feed, f"{shown(changing)} changed less than {seconds:.0f} s ago", settling=True)


def _promised(contract: Contract, fresh: list[Item]) -> set[str]:
    """Names of files that are as large as a manifest says, and of the manifests themselves."""
    names: set[str] = set()
    for one in (item for item in fresh if manifest.is_manifest(item.name)):
        try:
            told = manifest.read(one.path.read_bytes()[: manifest.MOST_BYTES], one.name, contract.feed)
        except (ArrivalFault, OSError):  # still being written, or of no use: it will be told when nothing changes any more
            continue
        names |= {one.name} | {item.name for item in fresh if batches.claims(told, item)}
    return names


def _open(contract: Contract, found: Look, fresh: list[Item], scratch: Path) -> list[Opened]:
    """Open the files; while something changes only those that a manifest vouches for: a part of what has none is worse than nothing."""
    promised = _promised(contract, fresh) if _changing(contract, found, fresh)[0] else None
    try:
        return [open_item(item, contract, scratch) for item in fresh if promised is None or item.name in promised]
    except Replaced as replaced:
        raise NotArrived(contract.feed, f"{replaced} was replaced while it was read", settling=True) from None


def _wait_for_the_rest(contract: Contract, result: Sorted, known: dict[int, Known], night: date, patience: Patience, connection: Connection[Any]) -> None:
    if patience != "whole":
        return
    missing = [*result.missing, *(f"a file named {file}" for batch in result.batches for file in batches.lacking(contract, batch))]
    here = {batch.night for batch in result.batches} | {one.night for one in known.values() if one.status in (*UNDER_WAY, "admitted")}
    expected = due(contract.delivery, registry.last_admitted_night(contract.feed, connection)).due_on
    if night not in here and (expected is None or expected <= night):
        missing.append(f"the delivery for {night}")
    if missing:
        raise NotArrived(contract.feed, f"it lacks {'; '.join(missing)}")


def _taken_before(seen: dict[Mark, int], known: dict[int, Known], night: date, connection: Connection[Any]) -> list[int]:
    """The deliveries that files of the inbox were taken in before and that go on, oldest first."""
    taken = set(seen.values())
    return [one.delivery_id for one in known.values() if one.delivery_id in taken and _goes_on(one, known, night, connection)]


def _goes_on(one: Known, known: dict[int, Known], night: date, connection: Connection[Any]) -> bool:
    """Whether a delivery is to be worked on: it never ended, or is of this night. A refused one of this night is opened again."""
    if one.status in UNDER_WAY:
        return True
    if one.night != night or one.status not in ("admitted", "duplicate", "refused") or _is_replaced(one, known):
        return False
    if one.status == "refused" and not one.at_arrival:
        registry.reopen(one.delivery_id, connection)
    return True


def _is_replaced(one: Known, known: dict[int, Known]) -> bool:
    """Whether a later delivery of the same night stands or is under way."""
    return any(other.delivery_id > one.delivery_id and other.night == one.night and other.status in (*UNDER_WAY, "admitted") for other in known.values())


def _take(contract: Contract, batch: batches.Batch, connection: Connection[Any]) -> int:
    try:
        return take(contract, batch, registry.of_feed(contract.feed, connection), connection)
    except Replaced as replaced:
        raise NotArrived(contract.feed, f"{replaced} was replaced while it was read", settling=True) from None
