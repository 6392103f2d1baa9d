"""Persistent person ids: match tonight's clusters to the persons known before, and keep the history.

`person_id` is random and is never derived from a record. Each certainty has ids of its own. The cluster that shares most records
with a person keeps its id, then the older person wins; of parts that share equally many, the one with the person's oldest link;
ids are never used again. The SQL says how: `sql/persons.sql`, `assign.sql`, `settle.sql`. They see only the records of clusters
that changed; every other link stands.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from warehouse.link.errors import LinkageFault
from warehouse.link.models import Certainty
from warehouse.link.workspace import SQL_DIR

if TYPE_CHECKING:
    import psycopg

EVENTS = ("created", "merged", "split", "retired")
# The certainty whose links modelling reads, and whose events are counted.
MODELLED: Certainty = "balanced"

MOVED = """
select n.certainty, count(*)
from links_before as b
inner join new_record as n using (record_key, certainty)
left join assigned as a using (cluster_no)
where a.person_id is distinct from b.person_id
group by n.certainty
"""


def check_last_night(connection: psycopg.Connection, night: date) -> None:
    """Refuse to link a night that a later one has followed: its history is not rewritten.

    Raises:
        LinkageFault: a night later than `night` has been linked.
    """
    last = connection.execute("select max(night) from linkage.resolved_night").fetchone()
    if last is not None and last[0] is not None and last[0] > night:
        raise LinkageFault(
            f"The night {night.isoformat()} cannot be linked: {last[0].isoformat()} has been linked after it, and history is not rewritten."
            " Link that night again, or restore linkage.* as it stood before and link each night in order."
        )


def claim(connection: psycopg.Connection, night: date) -> dict[str, int]:
    """Match the clusters in temp table new_record (record_key, feed, certainty, cluster_no) to the persons known before the night, inside the
    caller's transaction, and change nothing yet.

    Temp table gone_record (record_key, certainty) holds the records that were linked before and are not any more.

    Returns:
        For each certainty, how many records that were linked before would get another person.
    """
    _run(connection, "persons.sql", night)
    while _run(connection, "assign.sql", night):
        pass
    return dict(connection.execute(MOVED).fetchall())


def settle(connection: psycopg.Connection, night: date) -> dict[str, int]:
    """Write the links and events that follow from the claims.

    Returns:
        Counts of events by kind, at the certainty that is modelled.
    """
    _run(connection, "settle.sql", night)
    events: dict[str, int] = dict(connection.execute("select event, count(*) from event_now where certainty = %s group by event", [MODELLED]).fetchall())
    return {event: events.get(event, 0) for event in EVENTS}


def _run(connection: psycopg.Connection, script: str, night: date) -> int:
    """Run a script of the package; the rows its last statement touched."""
    from psycopg import sql

    # Read as a template of SQL, not of text: the night is the only thing put in, as a literal.
    statement = sql.SQL((SQL_DIR / script).read_text(encoding="utf-8")).format(night=sql.Literal(night))
    cursor = connection.execute(statement)
    while cursor.nextset():
        pass
    return cursor.rowcount
