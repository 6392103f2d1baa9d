"""Take the rows of erased records out of landed files, which otherwise keep them until retention comes.

What remains is kept byte for byte and in order, malformed rows among it; the numbers of rows after one that left are lower
from then on. A landed copy that cannot be read under today's contract, so that its rows cannot be told apart, goes as a whole.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from psycopg import Connection

from warehouse.admit import checkpoint, deliveries
from warehouse.admit.deliveries import Delivery
from warehouse.admit.duck import duckdb_session
from warehouse.admit.errors import DeliveryRefused
from warehouse.admit.transfer import fetch_keys, keys_of
from warehouse.admit.zone_erasure import shared_keys
from warehouse.contracts.ddl import literal
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract, Table
from warehouse.database import clean_errors, connect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK_BYTES = 8 << 20
NEWLINE, RETURN, QUOTE = 10, 13, 34
# Erasures in force, and those whose landed rows have yet to go although they have been lifted meanwhile.
CONCERNED = "from ops.erasure where feed = %s and (lifted_at is null or finished_at is null)"
WHOLLY = f"{CONCERNED} and reason = 'erasure request'"
BUT_WITHHELD = f"{CONCERNED} and reason = 'consent withdrawn' and requested_on > %s"
# Deliveries whose landed copy may hold such rows: all that an unfinished erasure reaches, and those found to when admitted.
TO_SEARCH = """
select delivery_id, feed, night, status, message from ops.delivery as d
where (%(feed)s::text is null or d.feed = %(feed)s) and (
    exists (select from ops.delivery_file as f where f.delivery_id = d.delivery_id and f.rows_erased > f.rows_redacted)
    or exists (
        select from ops.erasure as e where e.feed = d.feed and e.finished_at is null and (e.reason = 'erasure request' or d.night < e.requested_on)
    )
)
order by delivery_id
"""


def redact(feed: str | None = None) -> None:
    """Take erased rows out of every landed delivery that may hold them. Idempotent.

    Args:
        feed: of this feed alone.

    Raises:
        DatabaseFault: the database refused.
        AdmitFault: a delivery's rows could not be read.
    """
    with clean_errors("look for landed rows to take out"), connect("loader") as connection:
        concerned = [Delivery(*row) for row in connection.execute(TO_SEARCH, {"feed": feed}).fetchall()]
    for delivery in concerned:
        _redact(delivery, load_contract(delivery.feed))


def _redact(delivery: Delivery, contract: Contract) -> None:
    # All of it under the feed's lock: another run may be taking out the same rows, and remove the checkpoint when it has.
    with clean_errors(f"take erased rows out of delivery {delivery.delivery_id}"), connect("loader") as connection:
        deliveries.lock_feed(delivery.feed, connection)
        if not delivery.folder.is_dir():
            return
        try:
            facts = checkpoint.build(delivery, contract)
        except DeliveryRefused:
            _remove_whole(delivery, connection)
            return
        changed = False
        for name, of_table in facts.tables.items():
            numbers = _erased_rows(delivery, contract.tables[name], connection)
            if len(numbers):
                path = delivery.folder / of_table.file_name
                rewritten, rows = rewrite(path, numbers)
                if rows != of_table.received:
                    rewritten.unlink()
                    _remove_whole(delivery, connection)
                    return
                rewritten.replace(path)
                changed = True
            _record(delivery, name, of_table.received - len(numbers), len(numbers), connection)
        if changed:
            _sync(delivery.folder)
        if changed or delivery.status in deliveries.ENDED:
            checkpoint.remove(delivery.delivery_id)


def _erased_rows(delivery: Delivery, table: Table, connection: Connection[Any]) -> NDArray[np.int64]:
    """Numbers of the well-formed rows of the delivery that belong to erased records, in order."""
    import numpy as np

    with duckdb_session(checkpoint.folder(delivery.delivery_id) / "spill", f"find erased rows of {table.name}") as session:
        fetch_keys(session, "erased", keys_of(connection, WHOLLY, [delivery.feed]))
        fetch_keys(session, "erased_but_withheld", keys_of(connection, BUT_WITHHELD, [delivery.feed, delivery.night]))
        concerned = [f"{key} in (select key from erased) or (not _withheld and {key} in (select key from erased_but_withheld))" for key in shared_keys(table)]
        if not concerned:
            return np.array([], dtype=np.int64)
        path = literal(str(checkpoint.rows(delivery.delivery_id, table.name)))
        found = session.execute(f"select _row_number from read_parquet({path}) where {' or '.join(concerned)} order by 1").fetchnumpy()
        numbers: NDArray[np.int64] = found["_row_number"]
        return numbers


def rewrite(path: Path, numbers: NDArray[np.int64]) -> tuple[Path, int]:
    """Write the file beside itself without the numbered rows; the new file, and how many rows the old one has.

    A row ends at a line break outside quotes. Lines without content are not rows and stay.
    """
    fresh = path.with_name(f".redacted-{path.name}")
    with path.open("rb") as old, fresh.open("wb") as new:
        fresh.chmod(path.stat().st_mode)
        records = 0
        carried = b""
        while block := old.read(BLOCK_BYTES):
            carried, records = _pass_on(carried + block, numbers, records, new)
        if carried:
            _, records = _pass_on(carried, numbers, records, new, is_end=True)
        new.flush()
        os.fsync(new.fileno())
    return fresh, records - 1  # the first record is the header


def _pass_on(data: bytes, numbers: NDArray[np.int64], records: int, new: BinaryIO, is_end: bool = False) -> tuple[bytes, int]:
    """Write the whole records of a block that are to stay; what follows the last whole one, and the number of records so far."""
    import numpy as np

    text = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(text == NEWLINE)
    quotes_before = np.searchsorted(np.flatnonzero(text == QUOTE), breaks)
    ends = breaks[quotes_before % 2 == 0] + 1
    if is_end and (len(ends) == 0 or ends[-1] < len(text)):
        ends = np.append(ends, len(text))
    if len(ends) == 0:
        return data, records
    starts = np.concatenate(([0], ends[:-1]))
    lengths = ends - starts
    blank = (text[starts] == NEWLINE) | ((lengths == 2) & (text[starts] == RETURN))
    # The header is record 0, the first row after it record 1.
    number = records - 1 + np.cumsum(~blank)
    stays = blank | ~np.isin(number, numbers)
    new.write(text[: ends[-1]][np.repeat(stays, lengths)].tobytes())
    return data[ends[-1] :], records + int(np.count_nonzero(~blank))


def _record(delivery: Delivery, table: str, kept: int, removed: int, connection: Connection[Any]) -> None:
    """Note how many of the rows received are no longer in the landed copy.

    Told by what is left, so that a run that was killed before it noted what it took out is made good by the next.
    """
    connection.execute(
        """
        update ops.delivery_file set redacted_at = now(), rows_redacted = coalesce(rows_received - %(kept)s, rows_redacted + %(removed)s)
        where delivery_id = %(delivery_id)s and table_name = %(table)s and coalesce(rows_received - %(kept)s, rows_redacted + %(removed)s) <> rows_redacted
        """,
        {"kept": kept, "removed": removed, "delivery_id": delivery.delivery_id, "table": table},
    )


def _remove_whole(delivery: Delivery, connection: Connection[Any]) -> None:
    """Remove the landed copy and say so first: what says so too early is put right by the next run, what never does is not."""
    connection.execute("update ops.delivery_file set redacted_at = now() where delivery_id = %s", [delivery.delivery_id])
    connection.commit()
    checkpoint.remove(delivery.delivery_id)
    shutil.rmtree(delivery.folder)


def _sync(folder: Path) -> None:
    """Make a folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
