"""The planted faults: plain tables in `faults/<feed>.yaml`, one file per feed, and how each is written into a delivery.

A file of faults has three parts:

- `exemplars`: for each table of the feed one row that breaks no rule. A delivery holds several copies of it, numbered from 1,
  as its first rows; `{n}` stands for the number, so that each copy is another person's. Columns that are left out are empty.
- `faults`: one mistake of an agency each, in the first `rows` copies of one table:
    - `set`: columns that get another value in these rows;
    - `add`: these rows come once more at the end of the file, with these columns changed (none: word for word);
    - `fields`: the line loses (-1) or gains (1) a field;
    - `caught`: `changed` rows (the default), `added` rows, or `both` are caught;
    - `after`: `a clean delivery` was admitted the night before;
    - `caught_by`: the rule that has to catch these rows, and the only one;
    - `so`: what has to become of it: `quarantined` (the rows), `warned`, or `refused` (the delivery).
- `shifts`: the same, for what shows only in many rows. The table holds nothing but `copies` of the exemplar; `rest` are columns
  of those that are not planted; `caught_by` gives a number of rows for each rule where one mistake is rightly told twice: once
  for each row and once for the column or the delivery. `after: three deliveries` of 250 copies each were admitted before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Table

FAULTS = Path(__file__).parent / "faults"
COPIES = 10
Row = list[str]
Sheets = dict[str, list[Row]]


@dataclass(frozen=True)
class Fault:
    """One planted fault, as its line of the table says."""

    feed: str
    fault: str
    kind: str
    table: str
    caught_by: dict[str, int]
    so: str
    rows: int = 0
    set: dict[str, str] = field(default_factory=dict)
    rest: dict[str, str] = field(default_factory=dict)
    add: dict[str, str] | None = None
    caught: str = "changed"
    fields: int = 0
    copies: int = COPIES
    after: str | None = None
    alone: bool = False

    @property
    def id(self) -> str:
        return f"{self.feed}: {self.kind}: {self.fault}"

    def rows_caught(self, rows_of_the_file: int) -> set[int]:
        """Numbers of the rows that have to be caught, in a file with so many rows."""
        changed = range(1, self.rows + 1)
        added = range(rows_of_the_file - self.rows + 1, rows_of_the_file + 1)
        return {*(changed if self.caught != "added" else ()), *(added if self.caught != "changed" else ())}


@cache
def document(feed: str) -> dict[str, Any]:
    """A feed's file of faults, every value as text: a date or number is what the agency writes."""
    return yaml.load((FAULTS / f"{feed}.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def faults(feed: str) -> list[Fault]:
    """The faults in single rows of a feed."""
    return [_fault(feed, line, alone=False) for line in document(feed)["faults"]]


def shifts(feed: str) -> list[Fault]:
    """The faults of a feed that show only in many rows."""
    return [_fault(feed, line, alone=True) for line in document(feed)["shifts"]]


def _fault(feed: str, line: dict[str, Any], alone: bool) -> Fault:
    numbers = {name: int(line[name]) for name in ("rows", "fields", "copies") if name in line}
    caught_by = line["caught_by"]
    if isinstance(caught_by, str):
        told = 1 if alone else numbers["rows"] * (2 if line.get("caught") == "both" else 1)
        caught_by = {caught_by: told}
    return Fault(**line | numbers | {"feed": feed, "alone": alone, "caught_by": {rule: int(rows) for rule, rows in caught_by.items()}})


def exemplar(feed: str, table: str, n: int, **changes: str) -> Row:
    """The n-th copy of a table's exemplar, with some columns changed."""
    given = document(feed)["exemplars"][table] | changes
    contract = load_contract(feed)
    columns = [column.name for column in contract.tables[table].columns]
    assert given.keys() <= set(columns), f"{feed}.{table} has no column {', '.join(given.keys() - set(columns))}"
    return [given[name].format(n=n) if name in given else contract.format.null_tokens[0] for name in columns]


def exemplars(feed: str, copies: int = COPIES) -> Sheets:
    """So many copies of every table's exemplar."""
    return {table: [exemplar(feed, table, n) for n in range(1, copies + 1)] for table in document(feed)["exemplars"]}


def plant(fault: Fault, clean: Sheets) -> Sheets:
    """A clean delivery with the fault in it; the delivery holds the exemplars as the first rows of each table."""
    if fault.alone:
        rows = [exemplar(fault.feed, fault.table, n, **(fault.set if n <= fault.rows else fault.rest)) for n in range(1, fault.copies + 1)]
        return {fault.table: rows}
    planted = [_line(exemplar(fault.feed, fault.table, n, **fault.set), fault.fields) for n in range(1, fault.rows + 1)]
    added = [exemplar(fault.feed, fault.table, n, **fault.add) for n in range(1, fault.rows + 1)] if fault.add is not None else []
    return clean | {fault.table: planted + clean[fault.table][fault.rows :] + added}


def _line(row: Row, fields: int) -> Row:
    return row[:fields] if fields < 0 else row + ["more"] * fields


def header(table: Table) -> Row:
    """The columns of a table's file."""
    return [column.name for column in table.columns]
