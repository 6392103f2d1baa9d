"""The vault and source tables of a feed, made and extended from its contract. (Landing tables live for one delivery: `admit.landing`.)

Only columns are added; a column whose type in the contract differs from the table's is an error, because turning what is
already there into the new type is a decision for a person.
"""

from __future__ import annotations

from typing import Any, Literal

from psycopg import Connection

from warehouse.contracts.load import ContractError
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import HISTORY_COLUMNS, VAULT_HISTORY_COLUMNS, source_columns, vault_columns, vault_grain

Columns = list[tuple[str, str]]  # name and SQL type
Zone = Literal["source", "vault"]
TRANSFORMER = "wh_transformer"  # who reads the source zone


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
        _apply_as_at(connection, table)
        layout = vault_layout(contract, table)
        if layout:
            _apply(connection, "vault", table, layout)


def create_index(contract: Contract, table: Table, zone: Zone, connection: Connection[Any]) -> None:
    """Create the index that finds a current row of the table's relation in a zone by its key, where it is missing.

    Separate from `apply` so that a feed's first and largest delivery is loaded before it is made. It also guards that a key
    has one current version.
    """
    key = "row_key"
    if zone == "vault" and vault_grain(contract, table) == "record":
        key = "record_key, _row_hash"
    name = quoted(table.relation)
    connection.execute(f"create unique index if not exists {quoted(table.relation + '_current')} on {zone}.{name} ({key}) where _valid_to is null")


def drop_index(table: Table, zone: Zone, connection: Connection[Any]) -> None:
    """Drop the index that `create_index` makes, before many rows are added to an empty relation."""
    connection.execute(f"drop index if exists {zone}.{quoted(table.relation + '_current')}")


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


def as_at_function(table: Table) -> str:
    """The name of the function that gives the table's source rows as they stood after the delivery of a night."""
    return f"source.{quoted(table.relation + '_as_at')}"


def _apply_as_at(connection: Connection[Any], table: Table) -> None:
    function, relation = as_at_function(table), f"source.{quoted(table.relation)}"
    connection.execute(f"""
        create or replace function {function}(night date) returns setof {relation} language sql stable parallel safe as $body$
            select * from {relation} where _valid_from <= $1 and (_valid_to is null or _valid_to > $1)
        $body$
    """)
    comment = f"{table.grain}, as it stood after the delivery of a night; no version has been thinned out, so any past night can be asked for"
    connection.execute(f"comment on function {function}(date) is {literal(comment)}")
    connection.execute(f"revoke execute on function {function}(date) from public")
    connection.execute(f"grant execute on function {function}(date) to {TRANSFORMER}")


def _known_columns(connection: Connection[Any], schema: str, name: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = %s and table_name = %s", [schema, name]
    ).fetchall()
    return dict(rows)
