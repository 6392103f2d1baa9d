"""The two slots the marts are built in, and which of them analysts see.

dbt builds physical tables in `marts_<slot>` and `published_<slot>`; the views `marts.*` and `published.*` show the live
slot. A build always goes to the idle one, so nothing an analyst can see changes before publication.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

SLOTS = ("blue", "green")
LAYERS = ("marts", "published")


def live_slot(connection: Connection[Any]) -> str | None:
    """The slot analysts see; None before the first publication."""
    row = connection.execute("select slot from ops.publication where is_live").fetchone()
    return None if row is None else str(row[0])


def idle_slot(connection: Connection[Any]) -> str:
    """The slot the next build goes to: the one that is not live, blue before the first publication."""
    return other_slot(live_slot(connection))


def other_slot(slot: str | None) -> str:
    """The slot that is not `slot`."""
    return SLOTS[1] if slot == SLOTS[0] else SLOTS[0]


def physical_schema(layer: str, slot: str) -> str:
    """The schema that holds the tables of a layer (`marts` or `published`) in a slot."""
    return f"{layer}_{slot}"
