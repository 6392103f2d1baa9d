"""The tables of clerical review, and the one function through which a steward sees identifiers of the pairs drawn."""

from __future__ import annotations

from pathlib import Path

from warehouse.database.connect import connect
from warehouse.database.errors import clean_errors


def apply() -> None:
    """Create what is missing. Idempotent; needs the zones.

    Raises:
        DatabaseFault: the database refused.
    """
    with clean_errors("create the tables of clerical review"), connect("linker") as connection:
        # Two processes may arrive together (a DAG and a command): one waits for the other.
        connection.execute("select pg_advisory_xact_lock(hashtext('warehouse.link.review'))")
        connection.execute("set local client_min_messages = warning")
        connection.execute(Path(__file__).with_name("tables.sql").read_text(encoding="utf-8"))
