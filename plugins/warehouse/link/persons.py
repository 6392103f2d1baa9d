"""Persistent person ids: match tonight's clusters to the persons known before, and keep the history.

`person_id` is random and is never derived from a record. The cluster that shares most records with a person keeps its id, then the
older person wins; ids are never used again. The SQL says how: `sql/persons.sql`, `assign.sql`, `settle.sql`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from warehouse.link.errors import LinkageFault
from warehouse.link.workspace import SQL_DIR

if TYPE_CHECKING:
    import psycopg

EVENTS = ("created", "merged", "split", "retired")


def check_last_night(connection: psycopg.Connection, night: date) -> None:
    """Refuse to link a night that a later one has followed: its history is not rewritten.

    Raises:
        LinkageFault: there are links or events later than `night`.
    """
    last = connection.execute("select greatest(max(_valid_from), max(_valid_to)) from linkage.person_link").fetchone()
    if last is not None and last[0] is not None and last[0] > night:
        raise LinkageFault(
            f"The night {night.isoformat()} cannot be linked: {last[0].isoformat()} has been linked after it, and history is not rewritten."
            " Link that night again, or restore linkage.* as it stood before and link each night in order."
        )


def settle(connection: psycopg.Connection, night: date) -> dict[str, int]:
    """Give the clusters in temp table new_record (record_key, feed, cluster_no) their persons, inside the caller's transaction.

    Returns:
        Counts: records, persons, and events by kind.
    """
    _run(connection, "persons.sql", night)
    while _run(connection, "assign.sql", night):
        pass
    _run(connection, "settle.sql", night)
    totals = connection.execute("select count(*), count(distinct person_id) from links_now").fetchone() or (0, 0)
    events: dict[str, int] = dict(connection.execute("select event, count(*) from event_now group by event").fetchall())
    return {"records": totals[0], "persons": totals[1]} | {event: events.get(event, 0) for event in EVENTS}


def _run(connection: psycopg.Connection, script: str, night: date) -> int:
    """Run a script of the package; the rows its last statement touched."""
    from psycopg import sql

    # Read as a template of SQL, not of text: the night is the only thing put in, as a literal.
    statement = sql.SQL((SQL_DIR / script).read_text(encoding="utf-8")).format(night=sql.Literal(night))
    cursor = connection.execute(statement)
    while cursor.nextset():
        pass
    return cursor.rowcount
