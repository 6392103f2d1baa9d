"""Publish: make a night's tested marts the ones analysts see, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from psycopg import Connection, errors

from warehouse.database import clean_errors, connect, ops
from warehouse.publish import gate, swap
from warehouse.publish.erased import empty_retired_slot
from warehouse.publish.errors import PublishBlocked

# A wait for readers must end before their own wait for us is taken for a deadlock (deadlock_timeout, 1 s by default):
# then it is always publication that gives way, never an analyst's query.
WAIT_FOR_READERS = "700ms"
WAIT_FOR_BUILD = "5s"
PAUSES_SECONDS = (0.5, 1, 2, 4, 8, 15, 30, 30, 30)
LOOK_EVERY_SECONDS = 0.05

HOLDERS = """
select distinct a.usename, a.pid
from pg_locks l
join pg_stat_activity a on a.pid = l.pid
join pg_class c on c.oid = l.relation
where c.relnamespace in ('marts'::regnamespace, 'published'::regnamespace) and l.granted and l.pid <> pg_backend_pid()
order by 1, 2
"""


def publish(night: date, *, pauses: tuple[float, ...] = PAUSES_SECONDS) -> dict[str, int]:
    """Make the marts built for a night live; running it again changes nothing.

    Args:
        night: the night whose build passed its tests.
        pauses: seconds to wait between attempts while readers hold the views.

    Returns:
        Counts of views: `views`, `created`, `columns_changed`, `dropped`.

    Raises:
        PublishRefused: the build is not fit to go live, or other people's views stand in the way.
        PublishBlocked: readers held the views all the time.
        DatabaseFault: the database failed. In every case last night's marts stay live.
    """
    with ops.stage_run(night, "publish") as run, clean_errors("publish the marts"), connect("transformer", autocommit=True) as connection:
        for queues in _attempts(pauses):
            try:
                with connection.transaction():
                    counts = _publish_once(connection, night, queues)
            except (errors.LockNotAvailable, errors.QueryCanceled):
                continue
            with connection.transaction():
                run.count("retired_tables_dropped", empty_retired_slot(connection))
            for name, value in counts.items():
                run.count(name, value)
            return counts
        raise PublishBlocked(_blocked_by(connection, night))


def _attempts(pauses: tuple[float, ...]) -> Iterator[bool]:
    """The attempts to make, each with whether it queues for views that are in use.

    Queueing stops new readers for a moment, which beats readers that come one after the other. It never beats readers that
    each hold one view while they wait for another; those are caught at a moment when none is at work, by looking often
    during the pauses without queueing.
    """
    for pause in pauses:
        yield True
        end = time.monotonic() + pause
        while time.monotonic() < end:
            time.sleep(LOOK_EVERY_SECONDS)
            yield False
    yield True


def _publish_once(connection: Connection[Any], night: date, queues: bool) -> dict[str, int]:
    connection.execute(f"set local statement_timeout = '{WAIT_FOR_READERS}'")
    connection.execute("select pg_advisory_xact_lock(hashtext('warehouse.publish'))")
    slot = gate.slot_to_publish(connection, night)
    tables = gate.check_tables(connection, slot, gate.expected_tables())
    swap.lock_views(connection, queues)
    connection.execute(f"set local statement_timeout = 0; set local lock_timeout = '{WAIT_FOR_BUILD}'")
    counts = swap.repoint(connection, slot, tables)
    _record(connection, night, slot)
    return counts


def _record(connection: Connection[Any], night: date, slot: str) -> None:
    """Note the publication, unless this very build is live already."""
    if connection.execute("select 1 from ops.publication where is_live and night = %s and slot = %s", [night, slot]).fetchone():
        return
    connection.execute("update ops.publication set is_live = false where is_live")
    connection.execute("insert into ops.publication (night, slot, published_at, is_live) values (%s, %s, clock_timestamp(), true)", [night, slot])


def _blocked_by(connection: Connection[Any], night: date) -> str:
    holders = ", ".join(f"{user} (process {pid})" for user, pid in connection.execute(HOLDERS)) or "sessions that have ended meanwhile"
    return f"The marts of {night} are not published: the live views stayed in use by {holders}. Last night's marts stay; run publish again"
