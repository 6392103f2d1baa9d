"""The registry of deliveries as the receive stage uses it: what came before, and how what comes now is entered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import Connection

from warehouse.admit.deliveries import RECEIVED_RULE
from warehouse.contracts.model import Contract
from warehouse.receive.batches import shown
from warehouse.receive.errors import ArrivalFault
from warehouse.receive.inbox import Item

UNDER_WAY = ("received", "loaded", "checked")
# What a delivery can be refused for before any of its rows is read.
ARRIVAL_RULES = ("wrong_period", "manifest", "archive", "encryption", "signature", "same_file_name", "incomplete_night", "max_file_bytes")
Mark = tuple[str, int, int, int]


@dataclass(frozen=True)
class ReceivedFile:
    """A file of the delivery, copied."""

    table: str
    name: str
    size: int
    sha256: str
    has_rows: bool


@dataclass(frozen=True)
class Known:
    """A delivery in the registry. `at_arrival`: it was refused before its rows were read, and its copies may be missing."""

    delivery_id: int
    night: date
    status: str
    at_arrival: bool


@dataclass(frozen=True)
class Entry:
    """What is to be entered about a delivery whose files have been copied."""

    night: date
    content_hash: str
    files: list[ReceivedFile]
    items: list[Item]
    unexpected: list[str]
    faults: list[ArrivalFault]
    kept: list[str]


def seen(feed: str, items: list[Item], connection: Connection[Any]) -> dict[Mark, int]:
    """The files of the inbox that were taken before in exactly this state, and in which delivery."""
    rows = connection.execute(
        "select file_name, bytes, modified_ns, changed_ns, delivery_id from ops.inbox_file where feed = %s and file_name = any(%s)",
        [feed, [item.name for item in items]],
    ).fetchall()
    marks = {item.mark for item in items}
    return {mark: delivery_id for *parts, delivery_id in rows if (mark := (parts[0], parts[1], parts[2], parts[3])) in marks}


def of_feed(feed: str, connection: Connection[Any]) -> dict[int, Known]:
    """Every delivery of a feed by id."""
    rows = connection.execute(
        """
        select delivery_id, night, status,
               status = 'refused' and exists (
                   select from ops.check_result c
                   where c.delivery_id = d.delivery_id and c.table_name = '' and c.rule = any(%s) and c.severity = 'refuse' and c.failed_rows > 0)
        from ops.delivery d where feed = %s order by delivery_id
        """,
        [list(ARRIVAL_RULES), feed],
    ).fetchall()
    return {row[0]: Known(*row) for row in rows}


def newest_night(night: date, connection: Connection[Any]) -> date:
    """The latest night that ever ran, this one included."""
    row = connection.execute("select max(night) from ops.stage_run").fetchone()
    return max(night, row[0]) if row and row[0] else night


def last_admitted_night(feed: str, connection: Connection[Any]) -> date | None:
    """The latest night that the feed has an admitted delivery for."""
    row = connection.execute("select max(night) from ops.delivery where feed = %s and status = 'admitted'", [feed]).fetchone()
    last: date | None = row[0] if row else None
    return last


def landed_files(delivery_id: int, connection: Connection[Any]) -> dict[str, list[str]]:
    """Names of a delivery's landed files by table."""
    rows = connection.execute(
        "select table_name, array_agg(file_name order by file_name) from ops.delivery_file where delivery_id = %s group by table_name", [delivery_id]
    ).fetchall()
    return dict(rows)


def enter(contract: Contract, entry: Entry, connection: Connection[Any]) -> tuple[int, bool]:
    """Enter a delivery: as a new one, as a repetition, or as one that is known and goes on.

    Returns:
        The delivery's id, and whether its copied files are to be kept: those of a repetition are not, its content is there.
    """
    delivery_id, status = _identify(contract, entry, connection)
    if status is not None:
        _enter_files(delivery_id, entry.files, connection)
    if entry.faults:
        _refuse(contract.feed, delivery_id, entry, connection)
    _enter_notes(delivery_id, entry, connection)
    mark_seen(contract.feed, delivery_id, entry.items, connection)
    return delivery_id, status == "received"


def mark_seen(feed: str, delivery_id: int, items: list[Item], connection: Connection[Any]) -> None:
    """Note in which delivery the files of the inbox were taken, so that they are not read again while they lie there unchanged."""
    connection.cursor().executemany(
        "insert into ops.inbox_file (feed, file_name, bytes, modified_ns, changed_ns, delivery_id) values (%s, %s, %s, %s, %s, %s)"
        " on conflict (feed, file_name, bytes, modified_ns, changed_ns) do update set delivery_id = excluded.delivery_id",
        [(feed, *item.mark, delivery_id) for item in items],
    )


def reopen(delivery_id: int, connection: Connection[Any]) -> None:
    """Let a refused delivery be tried again."""
    connection.execute("update ops.delivery set status = 'received', message = null, finished_at = null where delivery_id = %s", [delivery_id])


def refusal(delivery_id: int, connection: Connection[Any]) -> str | None:
    """The message of a delivery that was refused when it arrived, before any row was read; None for all others."""
    row = connection.execute(
        "select message from ops.delivery d where delivery_id = %s and status = 'refused' and exists ("
        " select from ops.check_result c where c.delivery_id = d.delivery_id and c.table_name = '' and c.rule = any(%s)"
        " and c.severity = 'refuse' and c.failed_rows > 0)",
        [delivery_id, list(ARRIVAL_RULES)],
    ).fetchone()
    return str(row[0]) if row else None


def _identify(contract: Contract, entry: Entry, connection: Connection[Any]) -> tuple[int, str | None]:
    """The id of the delivery with this content, and the status it was entered with; None when it was there before."""
    known = connection.execute(
        "select delivery_id, night, status from ops.delivery where feed = %s and content_hash = %s order by delivery_id desc",
        [contract.feed, entry.content_hash],
    ).fetchall()
    for delivery_id, known_night, status in known:
        # One that never ended is taken up again, even on a later night: nobody else will bring its rows.
        if status in UNDER_WAY:
            return delivery_id, None
        if known_night == entry.night and status == "refused":
            if not entry.faults:
                reopen(delivery_id, connection)
            return delivery_id, None
    message = _repetition(entry.night, known)
    status = "duplicate" if message else "received"
    inserted = connection.execute(
        "insert into ops.delivery (feed, night, coverage_end, content_hash, status, message, finished_at)"
        " values (%s, %s, %s, %s, %s, %s, case when %s then now() end) returning delivery_id",
        [
            contract.feed,
            entry.night,
            entry.night - timedelta(days=contract.delivery.coverage_lag_days),
            entry.content_hash,
            status,
            message,
            message is not None,
        ],
    ).fetchone()
    assert inserted is not None  # insert ... returning always gives its row
    return inserted[0], status


def _repetition(night: date, known: list[Any]) -> str | None:
    """Why a content that came before is not taken again; None when it is: what was superseded may come in again."""
    for delivery_id, known_night, status in known:
        if status == "admitted":
            return f"Same content as delivery {delivery_id} of {known_night}"
        if status == "rejected" and known_night == night:
            return f"Same content as delivery {delivery_id} of {known_night}, which was rejected; it stays so until the agency sends a correction"
    return None


def _enter_files(delivery_id: int, files: list[ReceivedFile], connection: Connection[Any]) -> None:
    connection.cursor().executemany(
        "insert into ops.delivery_file (delivery_id, table_name, file_name, bytes, sha256) values (%s, %s, %s, %s, %s)",
        [(delivery_id, file.table, file.name, file.size, file.sha256) for file in files],
    )


def _refuse(feed: str, delivery_id: int, entry: Entry, connection: Connection[Any]) -> None:
    by_rule: dict[str, list[str]] = {}
    for fault in entry.faults:
        by_rule.setdefault(fault.rule, []).append(str(fault))
    for rule, reasons in by_rule.items():
        _note(delivery_id, rule, "refuse", len(reasons), "; ".join(reasons), connection)
    all_reasons = "; ".join(f"{reason} [{rule}]" for rule, found in by_rule.items() for reason in found)
    message = f"Delivery {delivery_id} of {feed} for {entry.night} is refused: {all_reasons}"
    connection.execute("update ops.delivery set status = 'refused', message = %s, finished_at = now() where delivery_id = %s", [message, delivery_id])


def _enter_notes(delivery_id: int, entry: Entry, connection: Connection[Any]) -> None:
    if entry.unexpected:
        message = f"Files that belong to no table of the feed were left in the inbox: {shown(entry.unexpected)}"
        _note(delivery_id, RECEIVED_RULE, "warn", len(entry.unexpected), message, connection)
    if entry.kept:
        message = f"Not sent again for the night, so taken as they came before: {shown(entry.kept)}"
        _note(delivery_id, "kept_file", "warn", 0, message, connection)


def _note(delivery_id: int, rule: str, severity: str, count: int, message: str, connection: Connection[Any]) -> None:
    connection.execute(
        "insert into ops.check_result (delivery_id, table_name, rule, severity, failed_rows, message) values (%s, '', %s, %s, %s, %s)"
        " on conflict (delivery_id, table_name, rule) do update set failed_rows = excluded.failed_rows, message = excluded.message",
        [delivery_id, rule, severity, count, message],
    )
