"""What `warehouse status` tells: deliveries, freshness, the last runs of each stage, and what is live."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from warehouse.database import connect
from warehouse.database.errors import clean_errors

QUERIES = {
    "live": "select night, slot, published_at from ops.publication where is_live",
    "feeds": """
        select distinct on (d.feed) d.feed, d.night as last_night, d.status, d.message, c.coverage_end,
               (select sum(rows_received) from ops.delivery_file f where f.delivery_id = d.delivery_id) as rows_received,
               (select sum(rows_admitted) from ops.delivery_file f where f.delivery_id = d.delivery_id) as rows_admitted,
               (select sum(rows_quarantined) from ops.delivery_file f where f.delivery_id = d.delivery_id) as rows_quarantined,
               (select sum(rows_unchanged) from ops.delivery_file f where f.delivery_id = d.delivery_id) as rows_unchanged
        from ops.delivery d left join ops.feed_coverage c using (feed)
        order by d.feed, d.delivery_id desc""",
    "stages": """
        select distinct on (stage, feed) stage, feed, night, status, started_at,
               round(extract(epoch from ended_at - started_at)::numeric, 1)::float as seconds, counts, error
        from ops.stage_run order by stage, feed, stage_run_id desc""",
}


def collect() -> dict[str, list[dict[str, Any]]]:
    """The state of the warehouse as plain rows: `live`, `feeds`, `stages`.

    Raises:
        server.ServerError: no warehouse is configured or running.
        DatabaseFault: the database could not be asked.
    """
    with clean_errors("read the warehouse's status"), connect("engineer") as connection:
        cursor = connection.cursor(row_factory=dict_row)
        return {name: cursor.execute(query).fetchall() for name, query in QUERIES.items()}


def live_night() -> date | None:
    """The night whose marts are live; None before the first publication."""
    live = collect()["live"]
    return live[0]["night"] if live else None


def show(found: dict[str, list[dict[str, Any]]], console: Console) -> None:
    """Print the state of the warehouse as tables."""
    if found["live"]:
        live = found["live"][0]
        console.print(f"Live: the night of [bold]{live['night']}[/], published {live['published_at']:%Y-%m-%d %H:%M} UTC, slot {live['slot']}", highlight=False)
    else:
        console.print("Nothing has been published yet.")
    for title in ("feeds", "stages"):
        if not found[title]:
            continue
        columns = [column for column in found[title][0] if column not in ("started_at", "counts")]
        table = Table(title=title.capitalize(), title_justify="left")
        for column in columns:
            number = column.startswith("rows_") or column == "seconds"
            words = column in ("message", "error")
            table.add_column(column.removeprefix("rows_").replace("_", " "), justify="right" if number else "left", no_wrap=not words)
        for row in found[title]:
            table.add_row(*(_cell(row[column]) for column in columns))
        console.print(table)


def _cell(value: Any) -> str:
    """A value as the tables show it: counts with thousands separators, nothing for nothing."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, (int, Decimal)) else str(value)
