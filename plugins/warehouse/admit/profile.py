"""The profile of a delivered table: a few hundred counts and shares that later deliveries are compared with.

A row of the profile is one measure. `metric` says which:

| metric | column | item | value |
|---|---|---|---|
| `rows` | | | well-formed rows |
| `complete` | | | rows that must carry everything: neither withheld for want of consent nor deletions |
| `recent` | | | complete rows with a date in the days up to the night that `wrong_period` names |
| `filled` | column | | share of complete rows in which the column holds a value |
| `unreadable` | column | | share of its values that are not of the contract's type, or not in the code list |
| `unreadable_rows` | column | | rows with such a value |
| `code` | column | code | share of its values that are this code of the list (Y or N of a flag) |
| `new_code` | column | code | rows that hold this code, which the list does not have |

Nothing of a person is in it: `new_code` names a code only when `_new_codes` says that it can be no one's value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from warehouse.admit.deliveries import Delivery
from warehouse.admit.duck import duckdb_session
from warehouse.contracts import thresholds
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Column, Contract, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# More unknown values than this in one column are not codes that someone added: another column's values got into it.
MOST_NEW_CODES = 3


@dataclass(frozen=True)
class ProfileRow:
    """One measure of a table's delivery; `column` is the name in the warehouse, '' for the table as a whole."""

    column: str
    metric: str
    item: str
    value: float

    @property
    def name(self) -> str:
        """The measure's name within its table, such as `rows`, `disd.filled` or `sex.code.M`."""
        return ".".join(part for part in (self.column, self.metric, self.item) if part)


def profile(rows: Path, contract: Contract, table: Table, violations: Path | None = None, night: date | None = None) -> list[ProfileRow]:
    """Measure a table's checkpoint.

    Args:
        rows: its typed rows (`<table>.rows.parquet`).
        violations: its failing rows and rules; without them nothing is said of values that could not be read.
        night: the delivery's night; without it `recent` is not measured.

    Raises:
        AdmitFault: the checkpoint could not be read.
    """
    with duckdb_session(rows.parent / ".spill", f"measure {table.relation}") as connection:
        connection.execute(f"create view rows as select * from read_parquet({literal(str(rows))})")
        connection.execute("create view complete as select * from rows where not _withheld and not _deleted")
        measured = _counts(connection, contract, table, night)
        unreadable = _unreadable_rows(connection, violations)
        measured += _unreadable_shares(table, measured, unreadable)
        measured += _code_shares(connection, contract, table)
        for column in table.columns:
            if column.type == "code" and unreadable.get(f"{column.field}.codes"):
                measured += _new_codes(connection, contract, table, column)
    return measured


def store(delivery: Delivery, table: str, rows: Iterable[ProfileRow], connection: Connection[Any]) -> None:
    """Keep a delivery's profile of a table in place of what was kept of it before."""
    connection.execute("delete from ops.delivery_profile where delivery_id = %s and table_name = %s", [delivery.delivery_id, table])
    with connection.cursor().copy("copy ops.delivery_profile (delivery_id, table_name, column_name, metric, item, value) from stdin") as copy:
        for row in rows:
            copy.write_row((delivery.delivery_id, table, row.column, row.metric, row.item, row.value))


def history(delivery: Delivery, table: str, connection: Connection[Any]) -> list[list[ProfileRow]]:
    """The profiles of a table in the feed's last admitted deliveries of earlier nights, the newest first.

    As many as `history_deliveries` says; fewer when the feed has not been delivered so often.
    """
    wanted = int(thresholds.number("history_deliveries", delivery.feed, table))
    found = connection.execute(
        """
        select night, column_name, metric, item, value
        from ops.delivery_profile
        join (
            select delivery_id, night from ops.delivery
            where feed = %s and status = 'admitted' and night < %s
              and exists (select from ops.delivery_profile as p where p.delivery_id = delivery.delivery_id and p.table_name = %s)
            order by night desc limit %s
        ) as earlier using (delivery_id)
        where table_name = %s
        order by night desc
        """,
        [delivery.feed, delivery.night, table, wanted, table],
    ).fetchall()
    nights: dict[date, list[ProfileRow]] = {}
    for night, *measure in found:
        nights.setdefault(night, []).append(ProfileRow(*measure))
    return list(nights.values())


def _counts(connection: DuckDBPyConnection, contract: Contract, table: Table, night: date | None) -> list[ProfileRow]:
    """`rows`, `complete`, `recent` and the `filled` share of every column, in one scan."""
    # Conditions stand in a where clause rather than in filters of the counts, which DuckDB evaluates twenty times slower.
    ((rows,),) = connection.execute("select count(*) from rows").fetchall()
    wanted = ["count(*)", _recent(contract, table, night), *(f"count({quoted(column.field)})" for column in table.columns)]
    ((complete, recent, *filled),) = connection.execute(f"select {', '.join(wanted)} from complete").fetchall()
    measures = [ProfileRow("", "rows", "", rows), ProfileRow("", "complete", "", complete)]
    measures += [ProfileRow("", "recent", "", recent)] if recent is not None else []
    return measures + [ProfileRow(c.field, "filled", "", _share(n, complete)) for c, n in zip(table.columns, filled, strict=True)]


def _recent(contract: Contract, table: Table, night: date | None) -> str:
    """The count of rows with a recent date; null where that is not asked of the table."""
    days = thresholds.find("wrong_period", contract.feed, table.name).value
    dates = [quoted(c.field) for c in table.columns if c.type == "date" and not c.is_identifier and not c.ahead]
    if night is None or days is None or not dates:
        return "null"
    in_period = " or ".join(f"coalesce({name} between date '{night}' - {int(days)} and date '{night}', false)" for name in dates)
    return f"coalesce(sum(({in_period})::integer), 0)"


def _unreadable_rows(connection: DuckDBPyConnection, violations: Path | None) -> dict[str, int]:
    """Rows that break each rule on the form of a column's values."""
    if violations is None:
        return {}
    found = connection.execute(
        "select rule, count(distinct _row_number) from read_parquet(?) where rule like '%.type' or rule like '%.codes' group by rule", [str(violations)]
    ).fetchall()
    return dict(found)


def _unreadable_shares(table: Table, measured: list[ProfileRow], unreadable: dict[str, int]) -> list[ProfileRow]:
    """The share of a column's values that could not be read: text that is no value of its type is null in the rows, an unknown code is not."""
    complete = next(row.value for row in measured if row.metric == "complete")
    filled = {row.column: row.value * complete for row in measured if row.metric == "filled"}
    shares = []
    for column in table.columns:
        failed = unreadable.get(f"{column.field}.type", 0)
        unknown = unreadable.get(f"{column.field}.codes", 0)
        if failed or unknown:
            share = min(1.0, _share(failed + unknown, filled[column.field] + failed))
            shares += [ProfileRow(column.field, "unreadable", "", share), ProfileRow(column.field, "unreadable_rows", "", failed + unknown)]
    return shares


def _code_shares(connection: DuckDBPyConnection, contract: Contract, table: Table) -> list[ProfileRow]:
    """The share of each known code of every column of codes, and of Y and N of every flag."""
    known = _flags(connection, table) | _codes(connection, contract, table)
    return [ProfileRow(field, "code", code, _share(rows, sum(codes.values()))) for field, codes in known.items() for code, rows in codes.items() if rows]


def _flags(connection: DuckDBPyConnection, table: Table) -> dict[str, dict[str, int]]:
    """Rows with Y and with N of every flag, in one scan."""
    names = [c.field for c in table.columns if c.type == "flag"]
    if not names:
        return {}
    ((*counts,),) = connection.execute(
        f"select {', '.join(f'coalesce(sum({quoted(n)}::integer), 0), count({quoted(n)})' for n in names)} from complete"
    ).fetchall()
    return {name: {"Y": yes, "N": answered - yes} for name, yes, answered in zip(names, counts[::2], counts[1::2], strict=True)}


def _codes(connection: DuckDBPyConnection, contract: Contract, table: Table) -> dict[str, dict[str, int]]:
    """Rows with each known code of every column of codes."""
    columns = {c.field: contract.codes(c) for c in table.columns if c.type == "code"}
    if not columns:
        return {}
    counted = [
        f"select {literal(field)}, {quoted(field)}, count(*) from complete where {quoted(field)} in ({_texts(codes)}) group by {quoted(field)}"
        for field, codes in columns.items()
    ]
    found = {(field, code): rows for field, code, rows in connection.execute(" union all ".join(counted)).fetchall()}
    return {field: {code: found[field, code] for code in codes if (field, code) in found} for field, codes in columns.items()}


def _new_codes(connection: DuckDBPyConnection, contract: Contract, table: Table, column: Column) -> list[ProfileRow]:
    """Codes that the list does not have, where they can be told.

    A shifted column or a file cut in the wrong places puts names and dates where codes belong. So a value is told only
    when it comes often enough, is written like a code of the list (capitals, small letters and digits in the same places),
    most values of the column are known codes, and there are few others.
    """
    name = quoted(column.field)
    codes = list(contract.codes(column))
    floor = int(thresholds.number("new_code", contract.feed, table.name, column.field))
    ((known,),) = connection.execute(f"select count(*) from complete where {name} in ({_texts(codes)})").fetchall()
    values = connection.execute(
        f"select {name}, count(*) from complete where {name} not in ({_texts(codes)}) group by {name} order by count(*) desc, {name} limit {MOST_NEW_CODES + 1}"
    ).fetchall()
    if len(values) > MOST_NEW_CODES or sum(rows for _, rows in values) > known:
        return []
    shapes = {_shape(code) for code in codes}
    return [ProfileRow(column.field, "new_code", value, rows) for value, rows in values if rows >= max(1, floor) and _shape(value) in shapes]


def _shape(code: str) -> str:
    """How a code is written: 9 for each digit, A for each capital, a for each other letter."""
    return re.sub("[A-Z]", "A", re.sub("[^\\W\\d_A-Z]", "a", re.sub("[0-9]", "9", code)))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _texts(values: Iterable[str]) -> str:
    return ", ".join(map(literal, values))
