"""Write a table's typed rows with their keys, hashes and broken rules: `<table>.rows.parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit import parse
from warehouse.admit.ordered import write_in_order
from warehouse.admit.parse import Source
from warehouse.admit.read import RawRows
from warehouse.contracts.compile import RowCheck
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Contract, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def source_of(raw: RawRows, table: Table, session: DuckDBPyConnection) -> Source:
    """Make the relations of the session by which a table's rows as text are read with their numbers."""
    source = Source(
        raw=f"read_parquet({literal(str(raw.rows))}, file_row_number = true)",
        blocks=f"blocks_of_{table.name}",
        has_malformed=raw.malformed_count > 0,
        has_tabs=raw.has_tabs,
    )
    if source.has_malformed:
        session.execute(parse.numbering_statement(source, f"read_parquet({literal(str(raw.malformed))})", raw.well_formed_count))
    return source


def write_rows(
    contract: Contract, table: Table, source: Source, night: date, secret: bytes, checks: list[RowCheck], target: Path, session: DuckDBPyConnection
) -> int:
    """Write the rows of a table; returns how many.

    Beside what `checkpoint` says, the file has `_broken SMALLINT[]`: the positions among `checks` of the rules that the row
    broke, or null where it broke none.

    Args:
        secret: the feed's key for pseudonymous keys.
    """
    typed = parse.typed(contract, table, source, night)
    shared = _shared_keys(table)
    for key in shared:
        _make_keys(table, key, typed, secret, session)
    fields = [quoted(column.field) for column in table.columns]
    alias = ", record_key as row_key" if parse.same_as_record_key(table) else ""
    own = "".join(f", {parse.key_value(table, key, secret)} as {quoted(key)}" for key in _own_keys(table, shared))
    hashes = f"{parse.row_hash(table)} as _row_hash, {parse.identity_hash(contract, table)} as _identity_hash"
    # Joins come last: see `parse.numbered`. No hash has a shared key in it, because the row key says what it says.
    whole = f"select *, {hashes}, {_broken(checks)} as _broken from (select *{alias} from (select *{own} from {typed}))"
    joined = "".join(f" left join {_relation(key)} on {_same(key, parse.key_parts(table, key))}" for key in shared)
    keyed = f"(select whole.*{''.join(f', {_relation(key)}.key as {quoted(key)}' for key in shared)} from ({whole}) as whole{joined})"
    columns = ["_row_number", "_withheld", "_deleted", *map(quoted, table.keys), *fields, "_row_hash", "_identity_hash", "_broken"]
    with _plain_lists(session):
        written = write_in_order(session, f"select {', '.join(columns)} from {parse.numbered(source, keyed)}", target, len(columns))
    for key in shared:
        session.execute(f"drop table {_relation(key)}")
    return written


@contextmanager
def _plain_lists(session: DuckDBPyConnection) -> Iterator[None]:
    """Have DuckDB compare a value with those of an IN one after the other: it turns each IN of a rule into a join of all columns otherwise."""
    session.execute("set disabled_optimizers = 'in_clause'")
    try:
        yield
    finally:
        session.execute("reset disabled_optimizers")


def _shared_keys(table: Table) -> list[str]:
    """Keys that several rows have in common: made once for each of their values, since an HMAC costs more than a join."""
    row_key = set(table.keys["row_key"])
    return [key for key, columns in table.keys.items() if set(columns) < row_key]


def _make_keys(table: Table, key: str, typed: str, secret: bytes, session: DuckDBPyConnection) -> None:
    parts = parse.key_parts(table, key)
    distinct = f"select distinct {', '.join(map(quoted, parts))} from {typed} where {' and '.join(f'{quoted(part)} is not null' for part in parts)}"
    named = ", ".join(f"{quoted(part)} as {quoted('_' + part)}" for part in parts)
    session.execute(f"create or replace temp table {_relation(key)} as select {named}, {parse.key_value(table, key, secret)} as key from ({distinct})")


def _own_keys(table: Table, shared: list[str]) -> list[str]:
    """The other keys, but a row key that is the record key."""
    return [key for key in table.keys if key not in shared and not (key == "row_key" and parse.same_as_record_key(table))]


def _same(key: str, parts: list[str]) -> str:
    return " and ".join(f"{_relation(key)}.{quoted('_' + part)} = whole.{quoted(part)}" for part in parts)


def _relation(key: str) -> str:
    return f"values_of_{key}"


def _broken(checks: list[RowCheck]) -> str:
    """The positions of the rules a row broke, in their order, or null."""
    if not checks:
        return "null::smallint[]"
    broken = ", ".join(f"case when {check.broken} then [{position}::smallint] end" for position, check in enumerate(checks))
    return f"nullif(list_concat({broken}, null), [])"
