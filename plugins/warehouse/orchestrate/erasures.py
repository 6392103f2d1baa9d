"""The register of erasures as `warehouse erasures` tells it: keys, dates and counts."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row
from rich.console import Console

from warehouse.database import clean_errors, connect
from warehouse.orchestrate.tables import table

LISTED = """
select erasure_id, feed, record_key::text, reason, requested_on, requested_by, delivery_id, registered_at, finished_at, lifted_at, removed
from ops.erasure
where %(feed)s::text is null or feed = %(feed)s
order by erasure_id desc
limit %(limit)s
"""
COLUMNS = ("erasure_id", "feed", "key", "why", "requested_on", "by", "finished", "lifted", "message")


def listed(feed: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest erasures, newest first.

    Args:
        feed: of this feed alone.

    Raises:
        DatabaseFault: the database could not be asked.
    """
    with clean_errors("list the erasures"), connect("engineer") as connection:
        return connection.cursor(row_factory=dict_row).execute(LISTED, {"feed": feed, "limit": limit}).fetchall()


def show(rows: list[dict[str, Any]], console: Console) -> None:
    """Print erasures, one a line, with how many rows left each zone; keys by their first part."""
    if not rows:
        console.print("No record was ever erased.")
        return
    console.print(table(COLUMNS, map(_told, rows), headings={"erasure_id": "id", "requested_on": "asked on", "message": "rows removed"}))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    removed = ", ".join(f"{zone} {count:,}" for zone, count in sorted(row["removed"].items()))
    days = {name: row[f"{name}_at"] and row[f"{name}_at"].date() for name in ("finished", "lifted")}
    return row | days | {"key": f"{row['record_key'][:8]}…", "why": row["reason"], "by": row["requested_by"], "message": removed or "none"}
