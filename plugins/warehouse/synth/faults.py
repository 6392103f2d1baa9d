"""Plant bad rows among good ones, and keep the list of them.

Rule names are those of the checks: `<column>.required|type|codes|pattern|range`, the suite's own, `duplicate_key`,
`repeated_row`, `malformed_row`, and `header` for a file that does not have the contract's columns. Each planted row
breaks one rule. Only a handful of rows is touched, so this module may look at rows one by one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import astuple, dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from warehouse.contracts.load import load_suite
from warehouse.contracts.model import Column, SuiteRule
from warehouse.synth.arrays import DATE_FORMATS, Flags, Text
from warehouse.synth.files import Layout, lines
from warehouse.synth.nights import Cells

ASPECTS = ("required", "type", "codes", "pattern", "range")
COLUMNS_PER_ASPECT = 3
# On a night of few changes no more than one row in so many is spoilt.
LEAST_GOOD_ROWS = 8
# The third night (counted from 0 here) brings a housing file with a wrong header: the whole delivery is to be refused.
BAD_FILE_NIGHT, BAD_FILE_FEED, BAD_FILE_TABLE = 2, "housing", "cases"
GREATER = "expect_column_pair_values_a_to_be_greater_than_b"


@dataclass(frozen=True)
class PlantedFault:
    """One planted fault. Rows of a file are numbered from 1, the header not counted; 0 stands for the file itself."""

    feed: str
    table: str
    file: str
    night: str
    row_number: int
    rule: str
    severity: str


@dataclass(frozen=True)
class Spoiler:
    """A way to spoil a row: the rule it breaks, which rows it fits, and what the cells become."""

    rule: str
    severity: str
    fits: Callable[[Cells], Flags]
    spoil: Callable[[dict[str, str | None]], dict[str, str | None]]


@dataclass
class PlantedFaults:
    """The faults planted so far."""

    found: list[PlantedFault] = field(default_factory=list)

    def write(self, path: Path, written: list[date]) -> None:
        """Write the list, keeping what an earlier list says of nights that were not written this time."""
        kept: list[list[str]] = []
        if path.exists():
            with path.open(encoding="utf-8", newline="") as stream:
                kept = [row for row in list(csv.reader(stream))[1:] if date.fromisoformat(row[3]) not in written]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow([f.name for f in fields(PlantedFault)])
            writer.writerows([*kept, *(astuple(fault) for fault in self.found)])


def plant(rng: np.random.Generator, layout: Layout, cells: Cells, texts: Text, night: date, planted: PlantedFaults) -> Text:
    """The lines of a file with some spoilt, and two inserted: one that repeats a row, one that contradicts a row.

    Args:
        cells: the columns of the same rows, in the same order as `texts`.
    """
    count = len(texts)
    free = _usable(layout, cells, count)
    spoilers = _spoilers(layout)
    budget = count // LEAST_GOOD_ROWS
    replaced: dict[int, tuple[str, str, str]] = {}
    for spoiler in spoilers[:budget]:
        victims = np.flatnonzero(free & spoiler.fits(cells))
        if len(victims):
            victim = int(rng.choice(victims))
            free[victim] = False
            spoilt = spoiler.spoil({name: values[victim].as_py() for name, values in cells.items()})
            replaced[victim] = (_line(layout, spoilt), spoiler.rule, spoiler.severity)
    inserted = _doubles(rng, layout, cells, texts, free, budget - len(replaced))
    return _assemble(layout, texts, night, replaced, inserted, planted)


def _usable(layout: Layout, cells: Cells, count: int) -> Flags:
    """Rows to choose from: not deletions, whose rules are others, and not clients who withhold consent."""
    usable = np.ones(count, dtype=bool)
    if "CHANGE_TYPE" in cells:
        usable &= np.asarray(cells["CHANGE_TYPE"]) != "D"
    consent = layout.contract.consent
    if consent is not None:
        usable &= np.asarray(cells[consent.column]) != consent.withheld
    return usable


def _assemble(
    layout: Layout, texts: Text, night: date, replaced: dict[int, tuple[str, str, str]], inserted: list[tuple[int, str, str, str, bool]], planted: PlantedFaults
) -> Text:
    """Put spoilt and inserted lines in place and note the row number of each."""
    new = pa.array([line for line, _, _ in replaced.values()] + [line for _, line, _, _, _ in inserted], pa.string())
    source = np.arange(len(texts))
    source[list(replaced)] = len(texts) + np.arange(len(replaced))
    places = np.r_[np.arange(len(texts), dtype=np.float64), [after + 0.5 for after, *_ in inserted]]
    source = np.r_[source, len(texts) + len(replaced) + np.arange(len(inserted))]
    order = np.argsort(places, kind="stable")
    row_number = np.empty(len(order), dtype=np.int64)
    row_number[order] = np.arange(len(order)) + 1

    def note(place: int, rule: str, severity: str) -> None:
        planted.found.append(
            PlantedFault(layout.contract.feed, layout.table.name, layout.file_name(night), night.isoformat(), int(row_number[place]), rule, severity)
        )

    for victim, (_, rule, severity) in replaced.items():
        note(victim, rule, severity)
    for turn, (after, _, rule, severity, both) in enumerate(inserted):
        note(len(texts) + turn, rule, severity)
        if both:
            note(after, rule, severity)
    return pa.concat_arrays([texts, new]).take(pa.array(source[order]))


def _doubles(rng: np.random.Generator, layout: Layout, cells: Cells, texts: Text, free: Flags, budget: int) -> list[tuple[int, str, str, str, bool]]:
    """Lines to insert after a row: one that repeats it, and one that contradicts it (then both rows are faulty)."""
    doubles: list[tuple[int, str, str, str, bool]] = []
    victims = rng.permutation(np.flatnonzero(free))[: max(0, min(2, budget))]
    if len(victims) > 0:
        doubles.append((int(victims[0]), texts[int(victims[0])].as_py(), "repeated_row", "warn", False))
    column = _changeable(layout)
    if len(victims) > 1 and column is not None:
        row = {name: values[int(victims[1])].as_py() for name, values in cells.items()}
        choices = list(layout.contract.codes(column)) or ["1 CHANGED STREET", "2 CHANGED STREET"]
        row[column.name] = next(code for code in choices if code != row.get(column.name))
        doubles.append((int(victims[1]), _line(layout, row), "duplicate_key", "quarantine", True))
    return doubles


def _changeable(layout: Layout) -> Column | None:
    """A column in which two rows of one key can differ while both are valid."""
    keys = {name for columns in layout.table.keys.values() for name in columns}
    other = [c for c in layout.table.columns if c.name not in keys and c.role != "change_type" and c.pattern is None]
    return next((c for c in other if c.type == "code"), next((c for c in other if c.type == "text"), None))


def _line(layout: Layout, row: dict[str, str | None]) -> str:
    cells = {name: pa.array([value], pa.string()) for name, value in row.items() if not name.startswith("_")}
    line: str = lines(layout, cells, 1)[0].as_py()
    return line.rsplit(layout.contract.format.delimiter, 1)[0] if "_short" in row else line


def _spoilers(layout: Layout) -> list[Spoiler]:
    """Ways to spoil rows of a table: first the suite's rules and a short row, then a few columns for each aspect."""
    spoilers = [_pair_spoiler(layout, rule) for rule in load_suite(layout.contract.feed).rules(layout.table.name) if rule.expectation == GREATER]
    spoilers.append(Spoiler("malformed_row", "quarantine", _any_row, lambda row: row | {"_short": None}))
    keys = {name for columns in layout.table.keys.values() for name in columns}
    consent = layout.contract.consent.column if layout.contract.consent else None
    columns = [c for c in layout.table.columns if c.name not in keys and c.role != "change_type" and c.name != consent]
    by_aspect = [[s for c in columns if (s := _column_spoiler(layout, c, aspect)) is not None] for aspect in ASPECTS]
    for turn in range(COLUMNS_PER_ASPECT):
        # Spread over the table: the first, the middle and the last column that has such a rule.
        for found in by_aspect:
            if len(found) > turn:
                spoilers.append(found[turn * (len(found) - 1) // max(1, COLUMNS_PER_ASPECT - 1)] if len(found) >= COLUMNS_PER_ASPECT else found[turn])
    return spoilers


def _any_row(cells: Cells) -> Flags:
    return np.ones(len(next(iter(cells.values()))), dtype=bool)


def _column_spoiler(layout: Layout, column: Column, aspect: str) -> Spoiler | None:
    """How to break one rule of a column, or None where the column has no such rule."""
    bad = _bad_value(layout, column, aspect)
    if bad is None and not (aspect == "required" and column.required):
        return None
    return Spoiler(f"{column.field}.{aspect}", column.severity, _any_row, lambda row: row | {column.name: bad})


def _bad_value(layout: Layout, column: Column, aspect: str) -> str | None:
    style = DATE_FORMATS[layout.contract.format.date_format]
    if aspect == "type":
        impossible = date(2024, 2, 1).strftime(style).replace("01", "31") if style.startswith("%d") else "2024-02-31"
        return {"date": impossible, "integer": "12x", "flag": "Maybe"}.get(column.type)
    if aspect == "codes":
        return "QQ" if column.type == "code" else None
    if aspect == "pattern":
        return "not as agreed" if column.pattern else None
    if aspect == "range" and isinstance(column.max, int):
        return str(column.max + 7)
    if aspect == "range" and isinstance(column.min, int):
        return str(column.min - 3)
    return date(1850, 1, 1).strftime(style) if aspect == "range" and isinstance(column.min, date) else None


def _pair_spoiler(layout: Layout, rule: SuiteRule) -> Spoiler:
    """How to break a rule that one date is not before another: put it ten days before."""
    name = {column.field: column.name for column in layout.table.columns}
    first, second = name[rule.kwargs["column_A"]], name[rule.kwargs["column_B"]]
    style = DATE_FORMATS[layout.contract.format.date_format]

    def fits(cells: Cells) -> Flags:
        both: Flags = np.asarray(cells[first].is_valid()) & np.asarray(cells[second].is_valid())
        return both

    def spoil(row: dict[str, str | None]) -> dict[str, str | None]:
        order = [("%Y", 0, 4), ("%m", 5, 7), ("%d", 8, 10)] if style.startswith("%Y") else [("%Y", 6, 10), ("%m", 3, 5), ("%d", 0, 2)]
        year, month, day = (int((row[second] or "")[begin:end]) for _, begin, end in order)
        return row | {first: (date(year, month, day) - timedelta(days=10)).strftime(style)}

    return Spoiler(rule.rule, rule.severity, fits, spoil)


def spoil_header(layout: Layout, out: Path, night: date, planted: PlantedFaults) -> None:
    """Give a night's file a header that is not the contract's: one column renamed."""
    path = layout.path(out, night)
    header, rest = path.read_bytes().split(b"\n", 1)
    renamed = header.replace(b"LAD_CODE", b"COUNCIL")
    path.write_bytes(renamed + b"\n" + rest)
    planted.found.append(PlantedFault(layout.contract.feed, layout.table.name, path.name, night.isoformat(), 0, "header", "refuse"))
