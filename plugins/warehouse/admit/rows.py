"""Write a table's typed rows with their keys, hashes and broken rules: `<table>.rows.parquet`."""

from __future__ import annotations

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
    alias = ", record_key as row_key" if parse.same_as_record_key(table) else ""
    joins = " ".join(_join(key, parse.key_parts(table, key)) for key in shared)
    keyed = f"(select *{alias} from (select typed.*, {', '.join(_keys(table, shared, secret))} from {typed} as typed {joins}))"
    kept = [quoted(name) for name in ("_row_number", "_withheld", "_deleted", *table.keys, *(c.field for c in table.columns))]
    hashes = [f"{parse.row_hash(table)} as _row_hash", f"{parse.identity_hash(contract, table)} as _identity_hash"]
    columns = [*kept, *hashes, f"{_broken(checks)} as _broken"]
    written = write_in_order(session, f"select {', '.join(columns)} from {keyed}", target, len(columns))
    for key in shared:
        session.execute(f"drop table {_relation(key)}")
    return written


def _shared_keys(table: Table) -> list[str]:
    """Keys that several rows have in common: made once for each of their values, since an HMAC costs more than a join."""
    row_key = set(table.keys["row_key"])
    return [key for key, columns in table.keys.items() if set(columns) < row_key]


def _make_keys(table: Table, key: str, typed: str, secret: bytes, session: DuckDBPyConnection) -> None:
    parts = parse.key_parts(table, key)
    distinct = f"select distinct {', '.join(map(quoted, parts))} from {typed} where {' and '.join(f'{quoted(part)} is not null' for part in parts)}"
    named = ", ".join(f"{quoted(part)} as {quoted('_' + part)}" for part in parts)
    session.execute(f"create or replace temp table {_relation(key)} as select {named}, {parse.key_value(table, key, secret)} as key from ({distinct})")


def _keys(table: Table, shared: list[str], secret: bytes) -> list[str]:
    """Every key of the table but a row key that is the record key, as columns of a select list."""
    own = [key for key in table.keys if key not in shared and not (key == "row_key" and parse.same_as_record_key(table))]
    return [f"{parse.key_value(table, key, secret)} as {quoted(key)}" for key in own] + [f"{_relation(key)}.key as {quoted(key)}" for key in shared]


def _join(key: str, parts: list[str]) -> str:
    same = " and ".join(f"{_relation(key)}.{quoted('_' + part)} = typed.{quoted(part)}" for part in parts)
    return f"left join {_relation(key)} on {same}"


def _relation(key: str) -> str:
    return f"values_of_{key}"


def _broken(checks: list[RowCheck]) -> str:
    """The positions of the rules a row broke. They are listed only for rows known to break one: most break none."""
    if not checks:
        return "null::smallint[]"
    any_broken = " or ".join(f"({check.broken})" for check in checks)
    positions = ", ".join(f"case when {check.broken} then {position}::smallint end" for position, check in enumerate(checks))
    return f"case when {any_broken} then list_filter([{positions}], lambda position: position is not null) end"
