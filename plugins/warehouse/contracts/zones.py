"""Which columns of a feed table go to which zone: identifiers to the vault, everything else to the source zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from warehouse.contracts.model import Column, Contract, Table

SQL_TYPES = {"text": "text", "code": "text", "integer": "integer", "date": "date", "flag": "boolean"}
HISTORY_COLUMNS = (
    ("_delivery_id", "bigint", "Delivery that brought this version of the row"),
    ("_row_number", "bigint", "Number of the row in that delivery's file; 1 is the first row after the header"),
    ("_row_hash", "uuid", "Hash of the row's keys and attributes, to tell whether it changed"),
    ("_valid_from", "date", "First night this version was current"),
    ("_valid_to", "date", "Night on which it ceased to be current; empty while it is current"),
)
# Vault rows of the record grain stand for several rows of a file, so they have no row number.
VAULT_HISTORY_COLUMNS = tuple(column for column in HISTORY_COLUMNS if column[0] != "_row_number")


@dataclass(frozen=True)
class ZoneColumn:
    """A column of a vault or source table: its name there, its SQL type, and the file column it comes from (None for a key).

    `is_year` marks the year alone of a column that holds a date.
    """

    name: str
    sql_type: str
    description: str
    column: Column | None = None
    is_year: bool = False

    @property
    def is_key(self) -> bool:
        """Whether this is a pseudonymous key rather than a column of the file."""
        return self.column is None


def source_columns(table: Table) -> list[ZoneColumn]:
    """Columns of `source.<feed>__<table>` before the history columns: keys, attributes and the shared part of identifiers."""
    return _keys(table, list(table.keys)) + [_shared(column) for column in table.columns if column.role is None or column.share]


def vault_grain(contract: Contract, table: Table) -> Literal["row", "record"] | None:
    """What one row of the table's vault relation is; None when the table brings no identifiers to link on.

    `record`: distinct identifiers of an agency record. `row`: one per row of the file, for tables that add further names
    or addresses to a record: a delivery of changes says which row changed, so identifiers must follow rows there.
    """
    if "record_key" not in table.keys or not any(c.is_identifier and c.role != "agency_id" for c in table.columns):
        return None
    adds_rows = set(table.keys["row_key"]) != set(table.keys["record_key"])
    return "row" if adds_rows and contract.delivery.kind == "changes" else "record"


def vault_columns(contract: Contract, table: Table) -> list[ZoneColumn]:
    """Columns of `vault.<feed>__<table>` before the history columns; empty when the table has no vault relation.

    At the record grain: the record key, the columns it is made of, and the identifiers, but not the ids of finer things
    (episodes, interviews) that would give a record one row for each. At the row grain: every column, for its context.
    """
    grain = vault_grain(contract, table)
    if grain is None:
        return []
    if grain == "row":
        return _keys(table, ["record_key", "row_key"]) + [_typed(c) for c in table.columns if c.role != "change_type"]
    record = set(table.keys["record_key"])
    finer = {name for columns in table.keys.values() for name in columns} - record
    return _keys(table, ["record_key"]) + [_typed(c) for c in table.columns if c.name in record or (c.is_identifier and c.name not in finer)]


def _keys(table: Table, names: list[str]) -> list[ZoneColumn]:
    return [ZoneColumn(name, "uuid", f"Keyed hash of {', '.join(table.keys[name])}") for name in names]


def _typed(column: Column) -> ZoneColumn:
    return ZoneColumn(column.field, SQL_TYPES[column.type], column.description, column)


def _shared(column: Column) -> ZoneColumn:
    if column.share == "birth_year":
        return ZoneColumn("birth_year", "smallint", f"{column.description}: the year alone", column, is_year=True)
    return _typed(column)
