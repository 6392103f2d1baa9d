"""An independent reading of delivered files against their contracts, in DuckDB: which rows break which rule.

It uses the contracts and suites, and none of the code that makes or admits deliveries.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from warehouse.contracts.load import load_contract, load_suite
from warehouse.contracts.model import Column, Contract, Table

NULLS_FOR_SHORT_ROWS = "null_padding = true, parallel = false"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def typed(column: Column, contract: Contract) -> str:
    """SQL for a column's value in its type; null where it has none."""
    name = f'"{column.name}"'
    if column.type == "date":
        style = contract.format.date_format.replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")
        return f"try_strptime({name}, '{style}')::date"
    return f"try_cast({name} as integer)" if column.type == "integer" else name


def _column_rules(column: Column, contract: Contract) -> dict[str, str]:
    """Rule to the SQL condition that breaks it."""
    name, value = f'"{column.name}"', typed(column, contract)
    broken: dict[str, str] = {}
    if column.required:
        consent = contract.consent
        bound = "" if consent is None or column.name in consent.keep else f' and "{consent.column}" <> {_text(consent.withheld)}'
        broken["required"] = f"{name} is null{bound}"
    if column.type in ("date", "integer"):
        broken["type"] = f"{name} is not null and {value} is null"
    if column.type == "flag":
        broken["type"] = f"{name} not in ('Y', 'N')"
    if column.codes:
        broken["codes"] = f"{name} not in ({', '.join(_text(c) for c in contract.codes(column))})"
    if column.pattern:
        broken["pattern"] = f"not regexp_full_match({name}, {_text(column.pattern)})"
    bounds = [(sign, bound) for sign, bound in (("<", column.min), (">", column.max)) if bound is not None]
    if bounds:
        broken["range"] = " or ".join(f"{value} {sign} {_text(str(bound)) + '::date' if isinstance(bound, date) else bound}" for sign, bound in bounds)
    return {f"{column.field}.{aspect}": condition for aspect, condition in broken.items()}


def read(path: Path, contract: Contract, table: Table) -> duckdb.DuckDBPyConnection:
    """A connection with the file as the table `delivered`: every column text, null tokens null, rows numbered from 1 in `_row`."""
    con = duckdb.connect()
    names = ", ".join(f"{_text(c.name)}: 'VARCHAR'" for c in table.columns)
    tokens = ", ".join(_text(t) for t in contract.format.null_tokens)
    con.execute(
        f"create table delivered as select row_number() over () as _row, * from read_csv({_text(str(path))}, header = true, "
        f"delim = {_text(contract.format.delimiter)}, columns = {{{names}}}, nullstr = [{tokens}], quote = '\"', escape = '\"', "
        f"auto_detect = false, {NULLS_FOR_SHORT_ROWS})"
    ).fetchall()
    return con


def breaking_rows(path: Path, feed: str, name: str, night: date) -> dict[str, set[int]]:
    """Rows of a file that break each rule of the contract and suite, or are dated after the night (`<column>.after_night`)."""
    contract = load_contract(feed)
    table = contract.tables[name]
    con = read(path, contract, table)
    conditions = {rule: condition for column in table.columns for rule, condition in _column_rules(column, contract).items()}
    conditions |= {f"{c.field}.after_night": f"{typed(c, contract)} > '{night}'::date" for c in table.columns if c.type == "date"}
    by_field = {column.field: typed(column, contract) for column in table.columns}
    conditions |= {rule.rule: f"{by_field[rule.kwargs['column_A']]} < {by_field[rule.kwargs['column_B']]}" for rule in load_suite(feed).rules(name)}
    counts = con.execute(f"select {', '.join(f'count(*) filter (where {c})' for c in conditions.values())} from delivered").fetchall()[0]
    failed = [rule for rule, count in zip(conditions, counts, strict=True) if count]
    found = {rule: {row for (row,) in con.execute(f"select _row from delivered where {conditions[rule]}").fetchall()} for rule in failed}
    return found | _shared_keys(con, table)


def _shared_keys(con: duckdb.DuckDBPyConnection, table: Table) -> dict[str, set[int]]:
    """Rows that repeat an earlier row, and rows that share a key with different content."""
    key = ", ".join(f'"{column}"' for column in table.keys["row_key"])
    content = ", ".join(f'"{c.name}"' for c in table.columns)
    rows = con.execute(
        f"""
        with keyed as (
            select _row, min(_row) over same_key as first_row, count(*) over same_key as of_key, count(*) over same_row as of_row
            from delivered window same_key as (partition by {key}), same_row as (partition by {content})
        )
        select _row, of_row < of_key from keyed where of_key > 1 and (of_row < of_key or _row > first_row)
        """
    ).fetchall()
    found: dict[str, set[int]] = {}
    for row, differs in rows:
        found.setdefault("duplicate_key" if differs else "repeated_row", set()).add(row)
    return found
