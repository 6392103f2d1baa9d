"""An independent reading of delivered files against their contracts, in DuckDB: which rows break which rule.

It uses the contracts and suites, and none of the code that makes or admits deliveries.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from warehouse.contracts.load import load_contract, load_suite
from warehouse.contracts.model import Column, Contract, SuiteRule, Table

ASPECTS = ("required", "type", "codes", "pattern", "range", "future")
OVERLAP = "expect_spells_not_to_overlap"
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


def _row_rule(rule: SuiteRule) -> str | None:
    """The SQL condition over `typed` that breaks a rule of the suite; None for rules that compare rows."""
    if rule.expectation == "expect_rows_to_meet":
        return f"not ({rule.kwargs['condition']})"
    if rule.expectation == "expect_column_pair_values_a_to_be_greater_than_b":
        return f"{rule.kwargs['column_A']} < {rule.kwargs['column_B']}"
    assert rule.expectation == OVERLAP, f"{rule.rule} is not read by these tests"
    return None


def _type(con: duckdb.DuckDBPyConnection, contract: Contract, table: Table, night: date) -> None:
    """Make the view `typed`: columns in lower case and in their types, empty where deletions or consent leave nothing to check."""
    kept: set[str] = set()
    empty = "false"
    if table.change_type is not None:
        kept, empty = {*table.keys["row_key"], table.change_type.name}, f"\"{table.change_type.name}\" = 'D'"
    elif contract.consent is not None:
        kept, empty = set(contract.consent.keep), f'"{contract.consent.column}" = {_text(contract.consent.withheld)}'
    columns = []
    for column in table.columns:
        value = f"case \"{column.name}\" when 'Y' then true when 'N' then false end" if column.type == "flag" else typed(column, contract)
        columns.append(f"{value if column.name in kept else f'case when not coalesce({empty}, false) then {value} end'} as {column.field}")
        if column.type in ("date", "integer", "flag"):
            unread = f'"{column.name}" is not null and {value} is null and not coalesce({empty}, false)'
            columns.append(f"case when {unread} then 1 end as {column.field}__unparsed")
    con.execute(
        f"create view typed as select _row, coalesce({empty}, false) as _is_empty, date '{night}' as night, {', '.join(columns)} from delivered"
    ).fetchall()


def breaking_rows(path: Path, feed: str, name: str, night: date) -> dict[str, set[int]]:
    """Rows of a file that break each rule of the contract and suite, or are dated after the night (`<column>.future`)."""
    contract = load_contract(feed)
    table = contract.tables[name]
    con = read(path, contract, table)
    _type(con, contract, table, night)
    rules = {rule.rule: rule for rule in load_suite(feed).rules(name)}
    asked = {rule: ("delivered", condition) for column in table.columns for rule, condition in _column_rules(column, contract).items()}
    asked |= {f"{c.field}.future": ("typed", f"{c.field} > night") for c in table.columns if c.type == "date" and not c.ahead}
    asked |= {name: ("typed", condition) for name, rule in rules.items() if (condition := _row_rule(rule)) is not None}
    found = {rule: {row for (row,) in con.execute(f"select _row from {of} where {condition}").fetchall()} for rule, (of, condition) in asked.items()}
    found = {rule: rows for rule, rows in found.items() if rows} | _shared_keys(con, table)
    severity = {f"{c.field}.{aspect}": c.severity for c in table.columns for aspect in ASPECTS}
    severity |= {rule.rule: rule.severity for rule in rules.values()} | {"duplicate_key": "quarantine", "repeated_row": "quarantine"}
    out = {row for rule, rows in found.items() if severity.get(rule) == "quarantine" for row in rows}
    overlapping = {name: rows for name, rule in rules.items() if rule.expectation == OVERLAP and (rows := _overlaps(con, rule, out))}
    return found | overlapping


def _overlaps(con: duckdb.DuckDBPyConnection, rule: SuiteRule, out: set[int]) -> set[int]:
    """Rows whose spell starts before one that started earlier has ended, among rows that are not out already."""
    start, end = rule.kwargs["start"], f"coalesce({rule.kwargs['end']}, date '9999-12-31')"
    together = " and ".join(f"a.{column} = b.{column}" for column in rule.kwargs["within"])
    rows = con.execute(
        f"""
        with spell as (select *, {start} as _start, {end} as _end from typed where not _is_empty and not list_contains(?::bigint[], _row))
        select distinct b._row from spell as a inner join spell as b on {together}
        where (a._start, a._row) < (b._start, b._row) and b._start < a._end and a._start <= a._end and b._start <= b._end
        """,
        [sorted(out)],
    ).fetchall()
    return {row for (row,) in rows}


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
