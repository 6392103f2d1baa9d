"""Move sets of rows between Postgres and files by COPY, never row by row.

Files may hold identifiers: they are readable by their owner only, and their folder is removed by who made it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

BLOCK_BYTES = 1 << 20


def copy_out(connection: psycopg.Connection, query: sql.Composable, path: Path) -> None:
    """Write the rows of a query to a new CSV file with a header."""
    from psycopg import sql

    private = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    statement = sql.SQL("copy ({}) to stdout (format csv, header)").format(query)
    with os.fdopen(private, "wb") as out, connection.cursor().copy(statement) as copy:
        for block in copy:
            out.write(block)


def copy_in(connection: psycopg.Connection, schema: str | None, table: str, path: Path) -> None:
    """Append the rows of a CSV file with a header, its columns being the first ones of the table in their order."""
    from psycopg import sql

    target = sql.Identifier(schema, table) if schema else sql.Identifier(table)
    with path.open("rb") as file, connection.cursor().copy(sql.SQL("copy {} from stdin (format csv, header)").format(target)) as copy:
        while block := file.read(BLOCK_BYTES):
            copy.write(block)
