"""The planted faults: plain tables in `faults/<feed>.yaml`, one file per feed, and how each is written into a delivery.

A file of faults has three parts:

- `exemplars`: for each table of the feed one row that breaks no rule. A delivery holds several copies of it, numbered from 1,
  beside what the generator writes; `{n}` stands for the number, so that each copy is another person's. Columns that are left
  out are empty.
- `faults`: one mistake of an agency each, in `rows` further copies of one table, which stand before all others:
    - `set`: columns that get another value in these rows;
    - `add`: these rows come once more at the end of the file, with these columns changed (none: word for word);
    - `fields`: the line loses its last field (-1), or gains one behind the first (1);
    - `caught`: `changed` rows (the default), `added` rows, or `both` are caught;
    - `after`: `a clean delivery` was admitted the night before;
    - `caught_by`: the rule that has to catch these rows, and the only one;
    - `so`: what has to become of it: `quarantined` (the rows), `warned`, or `refused` (the delivery).
- `shifts`: the same, for what shows only in many rows. The table holds nothing but `copies` of the exemplar; `rest` are columns
  of those that are not planted; `caught_by` gives a number of rows for each rule where one mistake is rightly told twice: once
  for each row and once for the column or the delivery. `after: two deliveries` of 250 copies each were admitted before.
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
# Copies with faults are numbered from here, so that they are other people's than the clean ones.
FIRST_PLANTED = 1001
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

    @property
    def id(self) -> str:
        return f"{self.feed}: {self.kind}: {self.fault}"


@dataclass(frozen=True)
class Planted:
    """A delivery with faults in it, and by the name of each fault the numbers of the rows that have to be caught."""

    sheets: Sheets
    rows: dict[str, set[int]]


@cache
def document(feed: str) -> dict[str, Any]:
    """A feed's file of faults, every value as text: a date or number is what the agency writes."""
    found: dict[str, Any] = yaml.load((FAULTS / f"{feed}.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return found


def faults(feed: str) -> list[Fault]:
    """The faults in single rows of a feed."""
    return [_fault(feed, line) for line in document(feed)["faults"]]


def shifts(feed: str) -> list[Fault]:
    """The faults of a feed that show only in many rows."""
    return [_fault(feed, line) for line in document(feed)["shifts"]]


def _fault(feed: str, line: dict[str, Any]) -> Fault:
    numbers = {name: int(line[name]) for name in ("rows", "fields", "copies") if name in line}
    caught_by = line["caught_by"]
    if isinstance(caught_by, str):
        in_every_row = "copies" not in line
        caught_by = {caught_by: numbers["rows"] * (2 if line.get("caught") == "both" else 1) if in_every_row else 1}
    return Fault(**line | numbers | {"feed": feed, "caught_by": {rule: int(rows) for rule, rows in caught_by.items()}})


def exemplar(feed: str, table: str, n: int, **changes: str) -> Row:
    """The n-th copy of a table's exemplar, with some columns changed."""
    given = document(feed)["exemplars"][table] | changes
    contract = load_contract(feed)
    columns = header(contract.tables[table])
    assert given.keys() <= set(columns), f"{feed}.{table} has no column {', '.join(given.keys() - set(columns))}"
    return [given[name].format(n=n) if name in given else contract.format.null_tokens[0] for name in columns]


def exemplars(feed: str, copies: int = COPIES) -> Sheets:
    """So many copies of every table's exemplar."""
    return {table: [exemplar(feed, table, n) for n in range(1, copies + 1)] for table in document(feed)["exemplars"]}


def plant(faults: list[Fault], clean: Sheets) -> Planted:
    """A clean delivery with each fault in rows of its own: in front of the clean ones, and those that are added behind them."""
    sheets: Sheets = {}
    caught: dict[str, set[int]] = {}
    for table, clean_rows in clean.items():
        of_table = [fault for fault in faults if fault.table == table]
        planted: list[Row] = []
        added: list[Row] = []
        added_from = sum(fault.rows for fault in of_table) + len(clean_rows)
        for fault in of_table:
            people = range(FIRST_PLANTED + len(planted), FIRST_PLANTED + len(planted) + fault.rows)
            changed = _next_numbers(planted, fault.rows)
            planted += [_line(exemplar(fault.feed, table, n, **fault.set), fault.fields) for n in people]
            again = {added_from + number for number in _next_numbers(added, fault.rows)}
            added += [exemplar(fault.feed, table, n, **fault.add) for n in people] if fault.add is not None else []
            caught[fault.id] = {"changed": changed, "added": again, "both": changed | again}[fault.caught]
        sheets[table] = planted + clean_rows + added
    return Planted(sheets, caught)


def _next_numbers(rows: list[Row], count: int) -> set[int]:
    """The numbers that so many rows will have behind those that are there."""
    return {*range(len(rows) + 1, len(rows) + count + 1)}


def in_many_rows(fault: Fault) -> Planted:
    """The one table that the shift is in, with nothing but copies of its exemplar."""
    rows = [exemplar(fault.feed, fault.table, n, **(fault.set if n <= fault.rows else fault.rest)) for n in range(1, fault.copies + 1)]
    return Planted({fault.table: rows}, {fault.id: {*range(1, fault.rows + 1)}})


def header(table: Table) -> Row:
    """The columns of a table's file."""
    return [column.name for column in table.columns]


def _line(row: Row, fields: int) -> Row:
    """The row with fields lost at its end, or with parts of a field that a delimiter has torn off behind the first."""
    return row[:fields] if fields < 0 else [row[0], *["torn off"] * fields, *row[1:]]
