"""SQL that turns landed text into typed columns: one set-based statement for a table, in which no value can raise an error.

Four steps, each a subquery that Postgres may not merge into the next (`offset 0`), so that no expression is computed twice:
trimmed text without null tokens; text with what must not be kept blanked (consent withheld, deletions); typed values; keys
and hashes.
"""

from __future__ import annotations

import re

from warehouse.admit.keys import key_expression
from warehouse.contracts.ddl import Columns, literal, quoted
from warehouse.contracts.model import DELETED, Column, Contract, Table
from warehouse.contracts.zones import SQL_TYPES, ZoneColumn, source_columns, vault_columns, vault_grain

# Postgres takes at most 100 arguments in one call.
ARGUMENTS = 60
# Whitespace that spreadsheets and exports leave round values, the no-break space among it.
WHITESPACE = "E' \\t\\r\\n\\u00a0'"
INTEGER = "^[+-]?[0-9]{1,9}$"  # every such text fits a Postgres integer


def parsed_layout(table: Table) -> Columns:
    """Names and types of the parsed table's columns, in order.

    Grain: one row per well-formed row of the file. `_complete` is 1 for rows with neither consent withheld nor a deletion.
    `<column>__unparsed` is 1 where there was text that is not of the column's type. `_identity_hash` covers the row's
    vault columns and is empty where nothing goes to the vault. `_duplicate_key` and `_repeated_row` are 1 or empty.
    """
    return [
        ("_delivery_id", "bigint"),
        ("_row_number", "bigint"),
        ("_complete", "smallint"),
        ("_withheld", "boolean"),
        *((key, "uuid") for key in table.keys),
        *((c.field, SQL_TYPES[c.type]) for c in table.columns),
        *((f"{c.field}__unparsed", "smallint") for c in _converted(table)),
        ("_row_hash", "uuid"),
        ("_identity_hash", "uuid"),
        ("_duplicate_key", "smallint"),
        ("_repeated_row", "smallint"),
    ]


def parse_statement(contract: Contract, table: Table) -> str:
    """`insert into` the parsed table everything that lies in the landed one.

    Parameters: `delivery_id`, and those of `null_tokens` and `keys.padded_keys`.
    """
    layout = [name for name, _ in parsed_layout(table) if name not in ("_duplicate_key", "_repeated_row")]
    return f"""
        insert into landing.{quoted(table.relation + "__parsed")} ({", ".join(quoted(name) for name in layout)})
        select %(delivery_id)s, _row_number, case when not (_withheld or _deleted) then 1 end, _withheld,
               {", ".join([*(quoted(key) for key in table.keys), *_values(table), *_markers(table)])},
               {_row_hash(table)}, {_identity_hash(contract, table)}
        from (select *, {_keys(table)} from ({_typed(contract, table)}) as typed offset 0) as keyed
    """


def duplicates_statement(table: Table) -> str:
    """Mark rows of the parsed table that share a row key: the same content repeated, or contents that contradict each other.

    Rows that lack a required part of the key are left to the rule that requires it.
    """
    parsed = f"landing.{quoted(table.relation + '__parsed')}"
    present = " and ".join(f"{quoted(c.field)} is not null" for c in table.key_columns("row_key") if c.required)
    whole = f"({present} or _withheld)"
    content = ", ".join([quoted(c.field) for c in table.columns] + [quoted(f"{c.field}__unparsed") for c in _converted(table)])
    return f"""
        with shared as (
            select row_key from {parsed} where {whole} group by row_key having count(*) > 1
        ), compared as (
            select row_key, _row_number, hashtextextended(row({content})::text, 0) as content from {parsed} join shared using (row_key) where {whole}
        ), judged as (
            select row_key, min(_row_number) as first_row, min(content) <> max(content) as contradictory from compared group by row_key
        )
        update {parsed} as parsed
        set _duplicate_key = case when judged.contradictory then 1 end,
            _repeated_row = case when not judged.contradictory then 1 end
        from judged
        where parsed.row_key = judged.row_key and {whole} and (judged.contradictory or parsed._row_number > judged.first_row)
    """


def date_expression(text: str, date_format: str) -> str:
    """SQL for the date that `text` holds in `date_format` (YYYY, MM, DD and separators), or null; years 1000 to 2999.

    The pattern admits months 01 to 12 and days 01 to 31 alone and the comparison the days that the month has, so that
    make_date, reached only then, cannot fail.
    """
    pattern = re.escape(date_format).replace("YYYY", "[12][0-9]{3}").replace("MM", "(0[1-9]|1[0-2])").replace("DD", "(0[1-9]|[12][0-9]|3[01])")
    part = {token: f"substr({text}, {date_format.index(token) + 1}, {len(token)})::integer" for token in ("YYYY", "MM", "DD")}
    year, month, day = part["YYYY"], part["MM"], part["DD"]
    leap = f"(mod({year}, 4) = 0 and (mod({year}, 100) <> 0 or mod({year}, 400) = 0))"
    days = f"case when {month} = 2 then case when {leap} then 29 else 28 end when {month} in (4, 6, 9, 11) then 30 else 31 end"
    exists = f"case when {day} <= 28 then true else {day} <= {days} end"
    return f"case when {text} ~ {literal(f'^{pattern}$')} then case when {exists} then make_date({year}, {month}, {day}) end end"


def null_tokens(contract: Contract) -> dict[str, str]:
    """The texts that mean no value, as the parameters `parse_statement` needs: the empty text, and those of the contract."""
    tokens = dict.fromkeys(["", *contract.format.null_tokens])
    return {f"null_token_{position}": token for position, token in enumerate(tokens)}


def _trimmed(contract: Contract, table: Table) -> str:
    def trimmed(field: str) -> str:
        expression = f"btrim({field}, {WHITESPACE})"
        for name in null_tokens(contract):
            expression = f"nullif({expression}, %({name})s)"
        return f"{expression} as {field}"

    columns = ", ".join(trimmed(quoted(c.field)) for c in table.columns)
    return f"select _row_number, {columns} from landing.{quoted(table.relation)} offset 0"


def _blanked(contract: Contract, table: Table) -> str:
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
    return f"select _row_number, {kinds}, {', '.join(columns)} from ({_trimmed(contract, table)}) as trimmed offset 0"


def _withheld(contract: Contract) -> str:
    if contract.consent is None:
        return "false"
    return f"coalesce({quoted(contract.consent.column.lower())} = {literal(contract.consent.withheld)}, false)"


def _deleted(table: Table) -> str:
    return f"coalesce({quoted(table.change_type.field)} = {literal(DELETED)}, false)" if table.change_type else "false"


def _typed(contract: Contract, table: Table) -> str:
    converted = [f"{_conversion(contract, c)} as {quoted(c.field + '__typed')}" for c in _converted(table)]
    return f"select {', '.join(['blanked.*', *converted])} from ({_blanked(contract, table)}) as blanked offset 0"


def _converted(table: Table) -> list[Column]:
    """Columns whose text is turned into another type."""
    return [c for c in table.columns if SQL_TYPES[c.type] != "text"]


def _conversion(contract: Contract, column: Column) -> str:
    text = quoted(column.field)
    if column.type == "date":
        return date_expression(text, contract.format.date_format)
    if column.type == "integer":
        return f"case when {text} ~ {literal(INTEGER)} then {text}::integer end"
    return f"case {text} when 'Y' then true when 'N' then false end"


def _value(column: Column) -> str:
    return quoted(column.field if SQL_TYPES[column.type] == "text" else f"{column.field}__typed")


def _values(table: Table) -> list[str]:
    return [_value(c) for c in table.columns]


def _markers(table: Table) -> list[str]:
    return [f"case when {quoted(c.field)} is not null and {_value(c)} is null then 1 end" for c in _converted(table)]


def _keys(table: Table) -> str:
    def hashed(column: Column) -> str:
        return column.field if SQL_TYPES[column.type] == "text" else f"{column.field}__typed"

    return ", ".join(f"{key_expression(key, [hashed(c) for c in table.key_columns(key)])} as {quoted(key)}" for key in table.keys)


def _row_hash(table: Table) -> str:
    return _hash([(zone.name, _zone_value(zone)) for zone in source_columns(table)])


def _identity_hash(contract: Contract, table: Table) -> str:
    if vault_grain(contract, table) is None:
        return "null::uuid"
    return f"case when not (_withheld or _deleted) then {_hash([(zone.name, _zone_value(zone)) for zone in vault_columns(contract, table)])} end"


def _zone_value(zone: ZoneColumn) -> str:
    if zone.column is None:
        return quoted(zone.name)
    return f"extract(year from {_value(zone.column)})" if zone.name == "birth_year" else _value(zone.column)


def _hash(named: list[tuple[str, str]]) -> str:
    """A uuid over names and values. Missing values leave no trace, so a column added to the contract changes no row until it is filled."""
    parts = [f"{literal(name + '=')} || {value}::text" for name, value in named]
    groups = [", ".join(parts[start : start + ARGUMENTS]) for start in range(0, len(parts), ARGUMENTS)]
    return f"md5(concat_ws(chr(31), {', '.join(f'concat_ws(chr(31), {group})' for group in groups)}))::uuid"
