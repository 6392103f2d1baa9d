"""The tables that the models read, copied into DuckDB with their types, the staging views on them, and what Postgres has and DuckDB has not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import sqlglot
from psycopg import sql

from warehouse.database import connect
from warehouse.model import runner

TABLES = """
select table_schema, table_name, array_agg(column_name::text order by ordinal_position), array_agg(data_type::text order by ordinal_position)
from information_schema.columns
where table_schema in ('source', 'reference') or (table_schema = 'ops' and table_name in ('delivery', 'night_feed', 'erasure'))
    or (table_schema, table_name) = ('linkage', 'person_link')
group by table_schema, table_name
"""
INTEGERS = "select column_name from information_schema.columns where table_schema = %s and table_name = %s and data_type = 'integer'"
DUCKDB_TYPES = {"timestamp with time zone": "timestamptz", "character varying": "varchar", "jsonb": "json", "double precision": "double"}

# Whole numbers divide to whole numbers in Postgres.
DIALECT = """
set integer_division = true;
create macro num_nulls(a, b) as (a is null)::integer + (b is null)::integer,
    (a, b, c) as (a is null)::integer + (b is null)::integer + (c is null)::integer,
    (a, b, c, d) as (a is null)::integer + (b is null)::integer + (c is null)::integer + (d is null)::integer;
create macro hashtextextended(text, seed) as hash(text)
"""


def load_tables(session: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Copy the tables by CSV and make the staging views."""
    session.execute(DIALECT)
    with connect("admin") as connection:
        for schema, table, columns, types in connection.execute(TABLES).fetchall():
            path = folder / f"{schema}.{table}.csv"
            copy = sql.SQL("copy {} to stdout with (format csv, header)").format(sql.Identifier(schema, table))
            with path.open("wb") as file, connection.cursor().copy(copy) as blocks:
                for block in blocks:
                    file.write(block)
            session.execute(f"create schema if not exists {schema}")
            layout = ", ".join(f'"{column}" {DUCKDB_TYPES.get(kind, kind)}' for column, kind in zip(columns, types, strict=True))
            session.execute(f'create table {schema}."{table}" ({layout})')
            session.execute(f"copy {schema}.\"{table}\" from '{path}' (format csv, header)").fetchall()
            path.unlink()
    session.execute("create schema staging")
    for path in sorted((runner.work_dir() / "target" / "compiled" / "warehouse" / "models" / "staging").glob("*.sql")):
        query = sqlglot.transpile(path.read_text(encoding="utf-8").replace('"warehouse".', ""), read="postgres", write="duckdb")[0]
        session.execute(f"create view staging.{path.stem} as {query}")


def take_types(session: duckdb.DuckDBPyConnection, schema: str, model: str) -> None:
    """Give a table that DuckDB made the integers it has in Postgres: there days between dates are wider, and cannot be added to a date."""
    with connect("admin") as connection:
        integers = [row[0] for row in connection.execute(INTEGERS, [schema, model])]
    for column in integers:
        session.execute(f'alter table {schema}.{model} alter column "{column}" type integer')
