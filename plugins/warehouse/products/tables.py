"""Make and fill the tables of estimates."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from psycopg import Connection, sql

from warehouse.products.product import EstimateTable

if TYPE_CHECKING:
    import pandas as pd


def create(connection: Connection[Any], schema: str, tables: Iterable[EstimateTable]) -> None:
    """Make the tables that are not there, empty: dbt reads them also before the first estimate."""
    for table in tables:
        connection.execute(_definition(schema, table, "create table if not exists"))


def replace(connection: Connection[Any], schema: str, table: EstimateTable, rows: pd.DataFrame) -> int:
    """Put these rows in the place of a table's, in the caller's transaction; returns how many.

    Raises:
        KeyError: the frame lacks a column of the table.
    """
    target = sql.Identifier(schema, table.name)
    connection.execute(sql.SQL("drop table if exists {}").format(target))
    connection.execute(_definition(schema, table, "create table"))
    text = io.StringIO()
    rows[list(table.columns)].to_csv(text, index=False, header=False)
    with connection.cursor().copy(sql.SQL("copy {} from stdin with (format csv)").format(target)) as copy:
        copy.write(text.getvalue())
    connection.execute(sql.SQL("analyze {}").format(target))
    return len(rows)


def _definition(schema: str, table: EstimateTable, verb: str) -> sql.Composed:
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in table.columns.items())
    return sql.SQL("{} {} ({})").format(sql.SQL(verb), sql.Identifier(schema, table.name), columns)
