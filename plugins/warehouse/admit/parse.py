"""DuckDB's SQL that turns a file's rows as text into typed rows with keys and hashes. No value can raise an error.

Five steps, each a subquery over the one before: trimmed text without null tokens; values read from it; typed values, with what
must not be kept blanked (consent withheld, deletions); keys and hashes; the rows' numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from warehouse.admit.keys import key_expression
from warehouse.contracts.compile import DUCKDB_TYPES
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import DELETED, Column, Contract, Table
from warehouse.contracts.zones import ZoneColumn, source_columns, vault_columns, vault_grain

INTEGER = "^[+-]?[0-9]{1,9}$"  # every such text fits an INTEGER
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


def numbered(source: Source, rows: str) -> str:
    """Relation `rows` with `_row_number` in place of its `file_row_number`.

    To be asked of finished rows: after a join DuckDB no longer knows which values stand for words of a Parquet dictionary,
    and works on each row's own.
    """
    if not source.has_malformed:
        return f"(select file_row_number + 1 as _row_number, * exclude (file_row_number) from {rows})"
    within = "case when malformed_at is null then 0 else len(list_filter(malformed_at, lambda place: place <= file_row_number)) end"
    return f"""(
        select file_row_number + 1 + malformed_before + {within} as _row_number, * exclude (file_row_number, block, malformed_before, malformed_at)
        from {rows} join {source.blocks} on file_row_number >> {BLOCK_BITS} = block
    )"""


def typed(contract: Contract, table: Table, source: Source, night: date) -> str:
    """The typed rows, as rules see them.

    Columns: `file_row_number`, `_withheld`, `_deleted`, `_complete` (1 for rows that are neither, else null), the columns of the
    contract, `<column>__unparsed` (1 where there was text that is not of the column's type, else null), and `night`.
    """
    blanked = {column.field: _blanked(contract, table, column) for column in table.columns}
    columns = [_unless(blanked[c.field], _checked(c) if c in _converted(table) else quoted(c.field)) + f" as {quoted(c.field)}" for c in table.columns]
    markers = [f"{_unless(blanked[c.field], _unparsed(c))} as {quoted(c.field + '__unparsed')}" for c in _converted(table)]
    return f"""(
        select file_row_number, _withheld, _deleted, {", ".join([*columns, *markers])},
               case when not (_withheld or _deleted) then 1::tinyint end as _complete, date {literal(night.isoformat())} as night
        from {_read(contract, table, source)}
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
    return _hash([(zone.name, zone_value(zone)) for zone in kept])


def identity_hash(contract: Contract, table: Table) -> str:
    """SQL for the hash of what a row brings to the vault beyond its key there; null where nothing goes there."""
    grain = vault_grain(contract, table)
    if grain is None:
        return "null::uuid"
    implied = set(table.keys["row_key" if grain == "row" else "record_key"])
    kept = [zone for zone in vault_columns(contract, table) if not _is_implied(zone, table, implied)]
    return f"case when not (_withheld or _deleted) then {_hash([(zone.name, zone_value(zone)) for zone in kept])} end"


def date_read(text: str, date_format: str) -> str:
    """SQL for the date that trimmed `text` holds in `date_format` (YYYY, MM, DD and separators), of whatever year, or null.

    Text of the format's length that DuckDB reads as a date has all its digits: none of the parts may have more than its own.
    """
    pattern = date_format
    for token, directive in STRPTIME.items():
        pattern = pattern.replace(token, directive)
    return f"try_strptime(case when strlen({text}) = {len(date_format.encode())} then {text} end, {literal(pattern)})::date"


def date_checked(read: str) -> str:
    """SQL for the date that was `read`, or null; years 1000 to 2999."""
    return f"case when {read} between date '1000-01-01' and date '2999-12-31' then {read} end"


def _trimmed(contract: Contract, table: Table, source: Source) -> str:
    def trimmed(field: str) -> str:
        # trim() takes every Unicode space, the no-break space of spreadsheets among them, but no tabs and line ends.
        expression = f"regexp_replace({field}, '^[\\s\\p{{Zs}}]+|[\\s\\p{{Zs}}]+$', '', 'g')" if source.has_tabs else f"trim({field})"
        for token in dict.fromkeys(["", *contract.format.null_tokens]):
            expression = f"nullif({expression}, {literal(token)})"
        return f"{expression if source.has_tabs else _where_it_may_have_space(field, expression)} as {field}"

    return f"(select file_row_number, {', '.join(trimmed(quoted(c.field)) for c in table.columns)} from {source.raw})"


def _where_it_may_have_space(field: str, trimmed: str) -> str:
    """`trimmed` for text with a space at an end or characters beyond ASCII, else the text as it is: trim() looks at every character, this at two."""
    return f"case when {field} < '!' or ends_with({field}, ' ') or strlen({field}) <> length({field}) then {trimmed} else {field} end"


def _read(contract: Contract, table: Table, source: Source) -> str:
    """Trimmed text, what was read from it as `<column>__read`, and the two kinds of rows that may not bring everything.

    Values are read before they are blanked: DuckDB then does it once for each word of a Parquet dictionary, not for each row.
    """
    kinds = f"{_withheld(contract)} as _withheld, {_deleted(table)} as _deleted"
    read = "".join(f", {_conversion(contract, c)} as {quoted(c.field + '__read')}" for c in _converted(table))
    return f"(select *, {kinds}{read} from {_trimmed(contract, table, source)})"


def _blanked(contract: Contract, table: Table, column: Column) -> str | None:
    """SQL for whether a row is of a kind that may not bring the column; None where every row may."""
    kinds = []
    if contract.consent is not None and column.name not in contract.consent.keep:
        kinds.append("_withheld")
    kept_in_deletions = {name for columns in table.keys.values() for name in columns}
    if table.change_type and column is not table.change_type and column.name not in kept_in_deletions:
        kinds.append("_deleted")
    return " or ".join(kinds) or None


def _unless(blanked: str | None, value: str) -> str:
    return f"case when {blanked} then null else {value} end" if blanked else value


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
        return date_read(text, contract.format.date_format)
    if column.type == "integer":
        return f"try_cast(regexp_extract({text}, {literal(INTEGER)}) as integer)"
    return f"case {text} when 'Y' then true when 'N' then false end"


def _checked(column: Column) -> str:
    read = quoted(column.field + "__read")
    return date_checked(read) if column.type == "date" else read


def _unparsed(column: Column) -> str:
    return f"case when {quoted(column.field)} is not null and {_checked(column)} is null then 1::tinyint end"


def _is_implied(zone: ZoneColumn, table: Table, implied: set[str]) -> bool:
    """Whether the key that a hash is compared under already says what this column holds."""
    if zone.column is None:
        return set(table.keys[zone.name]) <= implied
    return zone.column.name in implied


def zone_value(zone: ZoneColumn) -> str:
    """What a zone's column holds, in terms of the file's columns (DuckDB)."""
    if zone.is_year and zone.column is not None:
        return f"year({quoted(zone.column.field)})"
    return quoted(zone.name)


def _hash(named: list[tuple[str, str]]) -> str:
    """A uuid over names and values, in the order of the names. Missing values leave no trace, so that a column added to the
    contract changes no row until it is filled, and one that is moved within it changes none."""
    parts = ", ".join(f"{literal(name + '=')} || {value}::varchar" for name, value in sorted(named))
    return f"md5(concat_ws(chr(31), {parts or literal('')}))::uuid"
