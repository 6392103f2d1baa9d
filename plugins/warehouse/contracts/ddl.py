"""The vault and source tables of a feed, made and extended from its contract. (Landing tables live for one delivery: `admit.landing`.)

Only columns are added; a column whose type in the contract differs from the table's is an error, because turning what is
already there into the new type is a decision for a person.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from warehouse.contracts.load import ContractError
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import HISTORY_COLUMNS, VAULT_HISTORY_COLUMNS, source_columns, vault_columns, vault_grain

Columns = list[tuple[str, str]]  # name and SQL type


def quoted(name: str) -> str:
    """A column or table name as SQL. Names come from a contract, whose model allows letters, digits and underscores alone."""
    return f'"{name}"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def source_layout(table: Table) -> Columns:
    """Names and types of every column of the table's source relation, in order."""
    return [(c.name, c.sql_type) for c in source_columns(table)] + [(name, sql_type) for name, sql_type, _ in HISTORY_COLUMNS]


def vault_layout(contract: Contract, table: Table) -> Columns:
    """Names and types of every column of the table's vault relation, in order; empty when it has none."""
    columns = [(c.name, c.sql_type) for c in vault_columns(contract, table)]
    return columns + [(name, sql_type) for name, sql_type, _ in VAULT_HISTORY_COLUMNS] if columns else []


def apply(contract: Contract, connection: Connection[Any]) -> None:
    """Create the feed's vault and source tables, or add the columns they lack. Idempotent; runs in the caller's transaction.

    Args:
        connection: a connection as the loader, who owns both zones.

    Raises:
        ContractError: a column stands in the database with another type than the contract gives it.
        psycopg.Error: the database refused.
    """
    connection.execute("select pg_advisory_xact_lock(hashtext('warehouse.ddl.' || %s))", [contract.feed])
    for table in contract.tables.values():
        _apply(connection, "source", table, source_layout(table))
        layout = vault_layout(contract, table)
        if layout:
            _apply(connection, "vault", table, layout)


def create_indexes(contract: Contract, table: Table, connection: Connection[Any]) -> None:
    """Create the indexes that find a current row by its key, where they are missing.

    Separate from `apply` so that a feed's first and largest delivery is loaded before they are made. They also guard
    that a key has one current version.
    """
    name = table.relation
    connection.execute(f"create unique index if not exists {quoted(name + '_current')} on source.{quoted(name)} (row_key) where _valid_to is null")
    grain = vault_grain(contract, table)
    if grain is not None:
        key = "row_key" if grain == "row" else "record_key, _row_hash"
        connection.execute(f"create unique index if not exists {quoted(name + '_current')} on vault.{quoted(name)} ({key}) where _valid_to is null")


def _apply(connection: Connection[Any], schema: str, table: Table, layout: Columns) -> None:
    relation = f"{schema}.{quoted(table.relation)}"
    known = _known_columns(connection, schema, table.relation)
    if not known:
        columns = ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in layout)
        connection.execute(f"create table {relation} ({columns})")
        connection.execute(f"comment on table {relation} is {literal(table.grain + ', with history')}")
        return
    differing = [f"{name} is {known[name]}, the contract says {sql_type}" for name, sql_type in layout if known.get(name, sql_type) != sql_type]
    if differing:
        raise ContractError(f"{schema}.{table.relation} does not fit the contract: {'; '.join(differing)}. Migrate the table before loading.")
    for name, sql_type in layout:
        if name not in known:
            connection.execute(f"alter table {relation} add column if not exists {quoted(name)} {sql_type}")


def _known_columns(connection: Connection[Any], schema: str, name: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = %s and table_name = %s", [schema, name]
    ).fetchall()
    return dict(rows)
