"""DuckDB's SQL that turns a file's rows as text into typed rows with keys and hashes. No value can raise an error.

Five steps, each a subquery over the one before: rows with their numbers; trimmed text without null tokens; text with what
must not be kept blanked (consent withheld, deletions); typed values; keys and hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from warehouse.admit.keys import key_expression
from warehouse.contracts.compile import DUCKDB_TYPES
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import DELETED, Column, Contract, Table
from warehouse.contracts.zones import ZoneColumn, source_columns, vault_columns, vault_grain

INTEGER = "[+-]?[0-9]{1,9}"  # every such text fits an INTEGER
# Rows are numbered by way of blocks of 64: a block's number of malformed rows before it, and the places of those in it.
BLOCK_BITS = 6
STRPTIME = {"YYYY": "%Y", "MM": "%m", "DD": "%d"}


@dataclass(frozen=True)
class Source:
    """Where a table's rows as text lie, as relations of the session.

    Attributes:
        raw: the rows, with `file_row_number` counting the well-formed ones from 0.
        has_malformed: whether malformed rows lie between them; `blocks` then says where (see `numbering_statement`).
        has_tabs: whether values may have tabs round them, besides spaces.
    """

    raw: str
    blocks: str
    has_malformed: bool
    has_tabs: bool


def numbering_statement(source: Source, malformed: str, rows: int) -> str:
    """Make the relation by which well-formed rows get their numbers in the file.

    Grain: one row per block of 64 well-formed rows: `block`, `malformed_before` it, and `malformed_at`: for each malformed
    row within it, the `file_row_number` of the next well-formed row.

    Args:
        malformed: relation with the `_row_number` of malformed rows.
        rows: number of well-formed rows.
    """
    return f"""
        create or replace temp table {source.blocks} as
        select block, coalesce(sum(len(malformed_at)) over (order by block rows between unbounded preceding and 1 preceding), 0)::bigint as malformed_before,
               malformed_at
        from (select range as block from range(0, {(rows >> BLOCK_BITS) + 1}))
        left join (
            select place >> {BLOCK_BITS} as block, list(place) as malformed_at
            from (select _row_number - row_number() over (order by _row_number) as place from {malformed})
            group by all
        ) using (block)
    """


def numbered(source: Source) -> str:
    """The rows as text with their `_row_number`."""
    if not source.has_malformed:
        return f"(select file_row_number + 1 as _row_number, * exclude (file_row_number) from {source.raw})"
    within = "case when malformed_at is null then 0 else len(list_filter(malformed_at, lambda place: place <= file_row_number)) end"
    return f"""(
        select file_row_number + 1 + malformed_before + {within} as _row_number, * exclude (file_row_number, block, malformed_before, malformed_at)
        from {source.raw} join {source.blocks} on file_row_number >> {BLOCK_BITS} = block
    )"""


def typed(contract: Contract, table: Table, source: Source, night: date) -> str:
    """The typed rows, as rules see them.

    Columns: `_row_number`, `_withheld`, `_deleted`, `_complete` (1 for rows that are neither, else null), the columns of the
    contract, `<column>__unparsed` (1 where there was text that is not of the column's type, else null), and `night`.
    """
    values = ", ".join(f"{_conversion(contract, c)} as {quoted(c.field)}, {quoted(c.field)} as {quoted(c.field + '__text')}" for c in _converted(table))
    others = ", ".join(quoted(c.field) for c in table.columns if c not in _converted(table))
    markers = ", ".join(_marker(c) for c in _converted(table))
    texts = ", ".join(quoted(c.field + "__text") for c in _converted(table))
    return f"""(
        select * {f"exclude ({texts})" if texts else ""}{", " if markers else ""}{markers},
               case when not (_withheld or _deleted) then 1::tinyint end as _complete, date {literal(night.isoformat())} as night
        from (select {", ".join(part for part in ("_row_number, _withheld, _deleted", others, values) if part)} from {_blanked(contract, table, source)})
    )"""


def key_parts(table: Table, key: str) -> list[str]:
    """The columns a key is made of, by their names in the warehouse."""
    return [c.field for c in table.key_columns(key)]


def same_as_record_key(table: Table) -> bool:
    """Whether the row key is the record key: made of the same columns, all of which a row must have."""
    record = table.keys.get("record_key")
    return record is not None and set(record) == set(table.keys["row_key"]) and all(c.required for c in table.key_columns("record_key"))


def key_value(table: Table, key: str, secret: bytes) -> str:
    """SQL for a key over typed rows: null where a part of it is missing, except of the row key, which may have optional parts."""
    if key == "row_key" and same_as_record_key(table):
        return key_value(table, "record_key", secret)
    parts = key_parts(table, key)
    hashed = key_expression(key, parts, secret)
    if key == "row_key":
        return hashed
    return f"case when {' and '.join(f'{quoted(part)} is not null' for part in parts)} then {hashed} end"


def row_hash(table: Table) -> str:
    """SQL for the hash of what a row brings to the source zone: its attributes, and keys that the row key does not imply."""
    implied = set(table.keys["row_key"])
    kept = [zone for zone in source_columns(table) if not _is_implied(zone, table, implied)]
    return _hash([(zone.name, _zone_value(zone)) for zone in kept])


def identity_hash(contract: Contract, table: Table) -> str:
    """SQL for the hash of what a row brings to the vault beyond its key there; null where nothing goes there."""
    grain = vault_grain(contract, table)
    if grain is None:
        return "null::uuid"
    implied = set(table.keys["row_key" if grain == "row" else "record_key"])
    kept = [zone for zone in vault_columns(contract, table) if not _is_implied(zone, table, implied)]
    return f"case when not (_withheld or _deleted) then {_hash([(zone.name, _zone_value(zone)) for zone in kept])} end"


def date_expression(text: str, date_format: str) -> str:
    """SQL for the date that trimmed `text` holds in `date_format` (YYYY, MM, DD and separators), or null; years 1000 to 2999.

    Text of the format's length that DuckDB reads as a date has all its digits: none of the parts may have more than its own.
    """
    pattern = date_format
    for token, directive in STRPTIME.items():
        pattern = pattern.replace(token, directive)
    found = f"try_strptime({text}, {literal(pattern)})::date"
    return f"case when strlen({text}) = {len(date_format.encode())} and year({found}) between 1000 and 2999 then {found} end"


def _trimmed(contract: Contract, table: Table, source: Source) -> str:
    def trimmed(field: str) -> str:
        # trim() takes every Unicode space, the no-break space of spreadsheets among them, but no tabs and line ends.
        expression = f"regexp_replace({field}, '^[\\s\\p{{Zs}}]+|[\\s\\p{{Zs}}]+$', '', 'g')" if source.has_tabs else f"trim({field})"
        for token in dict.fromkeys(["", *contract.format.null_tokens]):
            expression = f"nullif({expression}, {literal(token)})"
        return f"{expression} as {field}"

    return f"(select _row_number, {', '.join(trimmed(quoted(c.field)) for c in table.columns)} from {numbered(source)})"


def _blanked(contract: Contract, table: Table, source: Source) -> str:
    """Text columns with those emptied that a row of its kind may not bring, and the two kinds as columns."""
    withheld, deleted = _withheld(contract), _deleted(table)
    kept_without_consent = set(contract.consent.keep) if contract.consent else {c.name for c in table.columns}
    kept_in_deletions = {name for columns in table.keys.values() for name in columns}
    columns = []
    for column in table.columns:
        emptied = []
        if column.name not in kept_without_consent:
            emptied.append(withheld)
        if table.change_type and column is not table.change_type and column.name not in kept_in_deletions:
            emptied.append(deleted)
        field = quoted(column.field)
        columns.append(f"case when {' or '.join(emptied)} then null else {field} end as {field}" if emptied else field)
    kinds = f"{withheld} as _withheld, {deleted} as _deleted"
    return f"(select _row_number, {kinds}, {', '.join(columns)} from {_trimmed(contract, table, source)})"


def _withheld(contract: Contract) -> str:
    if contract.consent is None:
        return "false"
    return f"coalesce({quoted(contract.consent.column.lower())} = {literal(contract.consent.withheld)}, false)"


def _deleted(table: Table) -> str:
    return f"coalesce({quoted(table.change_type.field)} = {literal(DELETED)}, false)" if table.change_type else "false"


def _converted(table: Table) -> list[Column]:
    """Columns whose text is turned into another type."""
    return [c for c in table.columns if DUCKDB_TYPES[c.type] != "VARCHAR"]


def _conversion(contract: Contract, column: Column) -> str:
    text = quoted(column.field)
    if column.type == "date":
        return date_expression(text, contract.format.date_format)
    if column.type == "integer":
        return f"case when regexp_full_match({text}, {literal(INTEGER)}) then {text}::integer end"
    return f"case {text} when 'Y' then true when 'N' then false end"


def _marker(column: Column) -> str:
    text = quoted(column.field + "__text")
    return f"case when {text} is not null and {quoted(column.field)} is null then 1::tinyint end as {quoted(column.field + '__unparsed')}"


def _is_implied(zone: ZoneColumn, table: Table, implied: set[str]) -> bool:
    """Whether the key that a hash is compared under already says what this column holds."""
    if zone.column is None:
        return set(table.keys[zone.name]) <= implied
    return zone.column.name in implied


def _zone_value(zone: ZoneColumn) -> str:
    if zone.name == "birth_year" and zone.column is not None:
        return f"year({quoted(zone.column.field)})"
    return quoted(zone.name)


def _hash(named: list[tuple[str, str]]) -> str:
    """A uuid over names and values, in the order of the names. Missing values leave no trace, so that a column added to the
    contract changes no row until it is filled, and one that is moved within it changes none."""
    parts = ", ".join(f"{literal(name + '=')} || {value}::varchar" for name, value in sorted(named))
    return f"md5(concat_ws(chr(31), {parts or literal('')}))::uuid"
