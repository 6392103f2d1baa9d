"""The registry of deliveries as the admit stage uses it: `ops.delivery`, `ops.delivery_file`, `ops.check_result`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from warehouse.admit.errors import DeliveryRefused
from warehouse.contracts.model import Severity
from warehouse.settings import settings

# A delivery that has come to one of these is not worked on any more, unless it is sent or asked for again.
ENDED = ("admitted", "duplicate", "refused", "superseded", "rejected")
FIND = "select delivery_id, feed, night, status, message from ops.delivery"
# Recorded when the delivery was received, so not made again by loading it.
RECEIVED_RULE = "unexpected_file"


@dataclass(frozen=True)
class Delivery:
    """One delivery: what came from a feed for a night, and how far it has got."""

    delivery_id: int
    feed: str
    night: date
    status: str
    message: str | None

    @property
    def folder(self) -> Path:
        """Where its untouched files lie."""
        return settings().landing_dir / self.feed / str(self.delivery_id)


@dataclass(frozen=True)
class Tally:
    """What became of a table's rows: received = admitted + quarantined + unchanged + erased.

    `erased`: rows of records whose data have been erased, kept nowhere. `closed`: versions ended because a snapshot no
    longer holds them.
    """

    received: int
    admitted: int
    quarantined: int
    unchanged: int
    erased: int
    closed: int


@dataclass(frozen=True)
class Finding:
    """The outcome of one rule for one table ('' for the delivery as a whole)."""

    table: str
    rule: str
    column: str | None
    severity: Severity
    checked_rows: int | None
    failed_rows: int
    message: str

    @property
    def refuses(self) -> bool:
        """Whether the delivery must be refused for it."""
        return self.severity == "refuse" and self.failed_rows > 0


def find(delivery_id: int, connection: Connection[Any]) -> Delivery:
    """The delivery as it stands.

    Raises:
        ValueError: there is no such delivery.
    """
    row = connection.execute(f"{FIND} where delivery_id = %s", [delivery_id]).fetchone()
    if row is None:
        raise ValueError(f"There is no delivery {delivery_id}")
    return Delivery(*row)


def claim(delivery_id: int, connection: Connection[Any]) -> Delivery:
    """The delivery, with its feed locked to other deliveries and other runs until this transaction ends."""
    lock_feed(find(delivery_id, connection).feed, connection)
    return find(delivery_id, connection)


def lock_feed(feed: str, connection: Connection[Any]) -> None:
    """Let one run at a time work on a feed; released when the transaction ends, however it ends."""
    connection.execute("select pg_advisory_xact_lock(hashtext('warehouse.feed.' || %s))", [feed])


def set_status(delivery: Delivery, status: str, message: str | None, connection: Connection[Any]) -> None:
    """Note how far the delivery has got, and when it ended if it has."""
    connection.execute(
        "update ops.delivery set status = %s, message = %s, superseded_by = null, finished_at = case when %s then now() end where delivery_id = %s",
        [status, message, status in ENDED, delivery.delivery_id],
    )


def admitted_of_night(delivery: Delivery, connection: Connection[Any]) -> Delivery | None:
    """The admitted delivery of the same feed and night, where there is one; it may be the delivery itself."""
    row = connection.execute(f"{FIND} where feed = %s and night = %s and status = 'admitted'", [delivery.feed, delivery.night]).fetchone()
    return Delivery(*row) if row else None


def admitted_after(delivery: Delivery, connection: Connection[Any]) -> list[Delivery]:
    """The feed's admitted deliveries of later nights, in the order of their nights."""
    rows = connection.execute(f"{FIND} where feed = %s and night > %s and status = 'admitted' order by night", [delivery.feed, delivery.night]).fetchall()
    return [Delivery(*row) for row in rows]


def contract_hash(delivery: Delivery, connection: Connection[Any]) -> str | None:
    """The hash of the contract under which the delivery was last checked."""
    row = connection.execute("select contract_hash from ops.delivery where delivery_id = %s", [delivery.delivery_id]).fetchone()
    found: str | None = row[0] if row else None
    return found


def record_contract(delivery: Delivery, digest: str, connection: Connection[Any]) -> None:
    """Note the hash of the contract under which the delivery has been checked."""
    connection.execute("update ops.delivery set contract_hash = %s where delivery_id = %s", [digest, delivery.delivery_id])


def supersede(delivery: Delivery, by: Delivery, connection: Connection[Any]) -> None:
    """Note that another delivery of the night took the place of this one, and drop its refused rows: the other answers for the night."""
    withdraw(delivery, "superseded", f"Delivery {by.delivery_id} of the same night took its place", connection)
    connection.execute("update ops.delivery set superseded_by = %s where delivery_id = %s", [by.delivery_id, delivery.delivery_id])


def open_twin(delivery: Delivery, connection: Connection[Any]) -> int | None:
    """Another delivery with the same content that has not been withdrawn or refused, where there is one."""
    row = connection.execute(
        """
        select other.delivery_id from ops.delivery as this join ops.delivery as other using (feed, content_hash)
        where this.delivery_id = %s and other.delivery_id <> this.delivery_id
          and other.status not in ('refused', 'duplicate', 'superseded', 'rejected')
        """,
        [delivery.delivery_id],
    ).fetchone()
    return int(row[0]) if row else None


def refused_rows(delivery: Delivery, connection: Connection[Any]) -> int:
    """How many rows of the delivery lie in quarantine."""
    row = connection.execute("select count(*) from quarantine.refused_row where delivery_id = %s", [delivery.delivery_id]).fetchone()
    return int(row[0]) if row else 0


def withdraw(delivery: Delivery, status: str, message: str, connection: Connection[Any]) -> None:
    """Note that the delivery no longer counts, and drop its refused rows."""
    set_status(delivery, status, message, connection)
    connection.execute("delete from quarantine.refused_row where delivery_id = %s", [delivery.delivery_id])


def files(delivery: Delivery, connection: Connection[Any]) -> dict[str, list[str]]:
    """File names of the delivery by table."""
    rows = connection.execute(
        "select table_name, array_agg(file_name order by file_name) from ops.delivery_file where delivery_id = %s group by table_name",
        [delivery.delivery_id],
    ).fetchall()
    return dict(rows)


def record_loaded(delivery: Delivery, rows: dict[str, int], connection: Connection[Any]) -> None:
    """Note the rows received by table: those of the landed copy, and those that were taken out of it because their records were erased."""
    connection.cursor().executemany(
        "update ops.delivery_file set rows_received = %s + rows_redacted where delivery_id = %s and table_name = %s",
        [(count, delivery.delivery_id, table) for table, count in rows.items()],
    )


def redacted_rows(delivery: Delivery, connection: Connection[Any]) -> dict[str, int]:
    """Rows taken out of the landed copy since it came, by table."""
    rows = connection.execute("select table_name, rows_redacted from ops.delivery_file where delivery_id = %s", [delivery.delivery_id]).fetchall()
    return dict(rows)


def record_admitted(delivery: Delivery, tallies: dict[str, Tally], connection: Connection[Any]) -> None:
    """Note by table what became of its rows."""
    connection.cursor().executemany(
        """
        update ops.delivery_file set rows_received = %s, rows_admitted = %s, rows_quarantined = %s, rows_unchanged = %s, rows_erased = %s
        where delivery_id = %s and table_name = %s
        """,
        [(t.received, t.admitted, t.quarantined, t.unchanged, t.erased, delivery.delivery_id, table) for table, t in tallies.items()],
    )


def record_findings(delivery: Delivery, findings: list[Finding], connection: Connection[Any]) -> None:
    """Put findings in place of what was found before by the same rules."""
    rows = [(delivery.delivery_id, f.table, f.rule, f.column, f.severity, f.checked_rows, f.failed_rows, f.message) for f in findings]
    connection.cursor().executemany(
        """
        insert into ops.check_result (delivery_id, table_name, rule, column_name, severity, checked_rows, failed_rows, message)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (delivery_id, table_name, rule) do update
        set column_name = excluded.column_name, severity = excluded.severity, checked_rows = excluded.checked_rows,
            failed_rows = excluded.failed_rows, message = excluded.message
        """,
        rows,
    )


def forget_findings(delivery: Delivery, connection: Connection[Any]) -> None:
    """Drop what an earlier attempt to load or check the delivery found."""
    connection.execute("delete from ops.check_result where delivery_id = %s and rule <> %s", [delivery.delivery_id, RECEIVED_RULE])


def refuse(delivery: Delivery, findings: list[Finding], connection: Connection[Any]) -> DeliveryRefused:
    """Record all that was found and that the delivery is refused for it; the caller raises what is returned once this is committed."""
    record_findings(delivery, findings, connection)
    reasons = "; ".join(f"{f.table + ': ' if f.table else ''}{f.message} [{f.rule}]" for f in findings if f.refuses)
    message = f"Delivery {delivery.delivery_id} of {delivery.feed} for {delivery.night} is refused: {reasons}"
    set_status(delivery, "refused", message, connection)
    return DeliveryRefused(message)
