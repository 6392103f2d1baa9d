"""What `ops` knows of a delivery that its agency should hear: what came, what became of it, and which checks it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from warehouse.contracts.model import Severity


@dataclass(frozen=True)
class File:
    """A file of the delivery, and what became of its rows. Counts are None where the delivery did not get so far.

    `before` is the number of rows in the feed's last admitted delivery of an earlier night; None when there was none.
    """

    table: str
    name: str
    bytes: int
    sha256: str
    received: int | None
    admitted: int | None
    quarantined: int | None
    unchanged: int | None
    erased: int | None
    before: int | None


@dataclass(frozen=True)
class Failed:
    """A check that failed: on `rows` rows of a table, or (`table` is then '') on the delivery as a whole."""

    table: str
    rule: str
    column: str | None
    severity: Severity
    rows: int
    message: str


@dataclass(frozen=True)
class DeliveryFacts:
    """One delivery, as its agency should hear of it."""

    delivery_id: int
    feed: str
    night: date
    status: str
    received_at: datetime
    message: str | None
    superseded_by: int | None
    before_night: date | None
    files: list[File]
    failed: list[Failed]


def read(delivery_id: int, connection: Connection[Any]) -> DeliveryFacts:
    """The facts of a delivery.

    Raises:
        ValueError: there is no such delivery.
    """
    found = connection.execute(
        "select feed, night, status, received_at, message, superseded_by from ops.delivery where delivery_id = %s", [delivery_id]
    ).fetchone()
    if found is None:
        raise ValueError(f"There is no delivery {delivery_id}")
    feed, night, status, received_at, message, superseded_by = found
    before = connection.execute(
        "select delivery_id, night from ops.delivery where feed = %s and status = 'admitted' and night < %s order by night desc limit 1", [feed, night]
    ).fetchone()
    before_id, before_night = before or (None, None)
    files = connection.execute(
        """
        select table_name, file_name, bytes, sha256, rows_received, rows_admitted, rows_quarantined, rows_unchanged, rows_erased,
            (select sum(b.rows_received) from ops.delivery_file as b where b.delivery_id = %s and b.table_name = f.table_name)::bigint
        from ops.delivery_file as f where delivery_id = %s order by table_name, file_name
        """,
        [before_id, delivery_id],
    ).fetchall()
    failed = connection.execute(
        """
        select table_name, rule, column_name, severity, failed_rows, message
        from ops.check_result where delivery_id = %s and failed_rows > 0
        order by array_position(array['refuse', 'quarantine', 'warn'], severity), table_name, failed_rows desc, rule
        """,
        [delivery_id],
    ).fetchall()
    return DeliveryFacts(
        delivery_id, feed, night, status, received_at, message, superseded_by, before_night, [File(*row) for row in files], [Failed(*row) for row in failed]
    )


def erased_keys(feed: str, connection: Connection[Any]) -> list[UUID]:
    """Record keys of people whose data of the feed have been erased: nothing of them is repeated to anyone."""
    found = connection.execute("select distinct record_key from ops.erasure where feed = %s and lifted_at is null", [feed]).fetchall()
    return [key for (key,) in found]
