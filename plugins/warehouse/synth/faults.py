"""Plant bad rows among good ones, and keep the list of them.

Rule names are those of the checks: `<column>.required|type|codes|pattern|range|future`, the suite's own, `duplicate_key`,
`repeated_row`, `malformed_row`, and `header` for a file that does not have the contract's columns. Each planted row
breaks one rule. Only a handful of rows is touched, so this module may look at rows one by one.
"""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from warehouse.contracts.model import Column
from warehouse.contracts.suite import Rule
from warehouse.synth.arrays import DATE_FORMATS, Flags, Text
from warehouse.synth.files import Layout, lines
from warehouse.synth.nights import Cells
from warehouse.synth.spoilers import NONE_BROKEN, Candidate, Row, breaking_one, candidates, named_columns, parsed, row_rules, rules_of

COLUMNS_PER_ASPECT = 3
# Rows that are tried for each rule before it is given up.
VICTIMS_PER_RULE = 6
# A short row, a repeated one, a contradicting one, and a spell that overlaps.
FAULTS_BESIDE_RULES = 4
# On a night of few changes no more than one row in so many is spoilt.
LEAST_GOOD_ROWS = 8
# The third night (counted from 0 here) brings a housing file with a wrong header: the whole delivery is to be refused.
BAD_FILE_NIGHT, BAD_FILE_FEED, BAD_FILE_TABLE = 2, "housing", "cases"
OVERLAP = "expect_spells_not_to_overlap"


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
class Insertion:
    """A line to insert after a row: the rule it breaks, and whether the row before it then breaks it too."""

    after: int
    line: str
    rule: str
    severity: str
    both: bool = False


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
    """The lines of a file with some spoilt, and some inserted: one that repeats a row, one that contradicts a row, and spells that overlap.

    Args:
        cells: the columns of the same rows, in the same order as `texts`.
    """
    count = len(texts)
    free = _usable(layout, cells, count)
    budget = count // LEAST_GOOD_ROWS
    replaced: dict[int, tuple[str, str, str]] = {}
    targets = _targets(layout)
    of_rules = budget - min(FAULTS_BESIDE_RULES, budget // 3)
    if of_rules < len(targets):
        targets = [targets[place] for place in rng.permutation(len(targets))]
    for rule, candidate in _spoilt(rng, layout, targets, cells, free, of_rules, night):
        replaced[candidate.victim] = (_line(layout, cells, candidate), rule.code, rule.severity)
        free[candidate.victim] = False
    short = np.flatnonzero(free)
    if budget > len(replaced) and len(short):
        victim = int(rng.choice(short))
        free[victim] = False
        replaced[victim] = (texts[victim].as_py().rsplit(layout.contract.format.delimiter, 1)[0], "malformed_row", "quarantine")
    inserted = _insertions(rng, layout, cells, texts, free, budget - len(replaced), night)
    return _assemble(layout, texts, night, replaced, inserted, planted)


def _usable(layout: Layout, cells: Cells, count: int) -> Flags:
    """Rows to choose from: not deletions, whose rules are others, nor clients who withhold consent; and where spells may not
    overlap, only those that are alone, so that no change makes them overlap."""
    usable = np.ones(count, dtype=bool)
    if "CHANGE_TYPE" in cells:
        usable &= np.asarray(cells["CHANGE_TYPE"]) != "D"
    consent = layout.contract.consent
    if consent is not None:
        usable &= np.asarray(cells[consent.column]) != consent.withheld
    for rule in _overlap_rules(layout):
        _, group, size = np.unique(np.asarray(cells[_column(layout, rule.kwargs["within"][0]).name]).astype(str), return_inverse=True, return_counts=True)
        usable &= size[group] == 1
    return usable


def _targets(layout: Layout) -> list[Rule]:
    """The rules to break: all of the suite, and of each kind about one column those of a few columns, spread over the table."""
    rules = row_rules(layout)
    kept = {name for columns in layout.table.keys.values() for name in columns}
    kept |= {c.name for c in layout.table.columns if c.role == "change_type"} | ({layout.contract.consent.column} if layout.contract.consent else set())
    of_columns: dict[str, list[Rule]] = {}
    for rule in rules:
        if "." in rule.code and rule.column is not None and _column(layout, rule.column).name not in kept:
            of_columns.setdefault(rule.code.split(".")[1], []).append(rule)
    chosen = [rule for rule in rules if "." not in rule.code]
    for found in of_columns.values():
        last, turns = len(found) - 1, min(COLUMNS_PER_ASPECT, len(found))
        chosen += [found[turn * last // max(1, turns - 1)] for turn in range(turns)]
    return chosen


def _spoilt(rng: np.random.Generator, layout: Layout, targets: list[Rule], cells: Cells, free: Flags, budget: int, night: date) -> list[tuple[Rule, Candidate]]:
    """A spoilt row for each rule that one was found for, no row twice, `budget` of them at most."""
    proposed: list[Candidate] = []
    for rule in targets if budget else []:
        for victim in _victims(rng, layout, rule, cells, free):
            proposed += candidates(layout, rule, victim, _row(cells, victim), night)
    by_rule: dict[str, list[Candidate]] = {}
    for candidate in breaking_one(layout, cells, proposed, night):
        by_rule.setdefault(candidate.rule, []).append(candidate)
    taken: set[int] = set()
    chosen: list[tuple[Rule, Candidate]] = []
    for rule in targets:
        fitting = next((candidate for candidate in by_rule.get(rule.code, []) if candidate.victim not in taken), None)
        if fitting is not None and len(chosen) < budget:
            taken.add(fitting.victim)
            chosen.append((rule, fitting))
    return chosen


def _victims(rng: np.random.Generator, layout: Layout, rule: Rule, cells: Cells, free: Flags) -> list[int]:
    """Rows to try for a rule: half of them any, half those in which most of the columns it names are filled."""
    order = rng.permutation(np.flatnonzero(free))
    filled = np.zeros(len(order), dtype=np.int64)
    for column in named_columns(layout, rule):
        if column.name in cells:
            filled += np.asarray(cells[column.name].is_valid())[order]
    fullest = order[np.argsort(-filled, kind="stable")][: VICTIMS_PER_RULE // 2]
    return [int(victim) for victim in dict.fromkeys([*order[: VICTIMS_PER_RULE // 2], *fullest])]


def _row(cells: Cells, place: int) -> Row:
    return {name: values[place].as_py() for name, values in cells.items()}


def _column(layout: Layout, name: str) -> Column:
    """The column with this name in the warehouse."""
    return next(column for column in layout.table.columns if column.field == name)


def _overlap_rules(layout: Layout) -> list[Rule]:
    return [rule for rule in rules_of(layout.contract.feed, layout.table.name) if rule.expectation == OVERLAP and rule.severity != "refuse"]


def _assemble(layout: Layout, texts: Text, night: date, replaced: dict[int, tuple[str, str, str]], inserted: list[Insertion], planted: PlantedFaults) -> Text:
    """Put spoilt and inserted lines in place and note the row number of each."""
    new = pa.array([line for line, _, _ in replaced.values()] + [insertion.line for insertion in inserted], pa.string())
    source = np.arange(len(texts))
    source[list(replaced)] = len(texts) + np.arange(len(replaced))
    places = np.r_[np.arange(len(texts), dtype=np.float64), [insertion.after + 0.5 for insertion in inserted]]
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
    for turn, insertion in enumerate(inserted):
        note(len(texts) + turn, insertion.rule, insertion.severity)
        if insertion.both:
            note(insertion.after, insertion.rule, insertion.severity)
    return pa.concat_arrays([texts, new]).take(pa.array(source[order]))


def _insertions(rng: np.random.Generator, layout: Layout, cells: Cells, texts: Text, free: Flags, budget: int, night: date) -> list[Insertion]:
    """Lines to insert after a row: one that repeats it, one that contradicts it, and one whose spell overlaps with its own."""
    victims = [int(victim) for victim in rng.permutation(np.flatnonzero(free))]
    found: list[Insertion] = []
    if victims and budget > 0:
        victim = victims.pop()
        found.append(Insertion(victim, texts[victim].as_py(), "repeated_row", "warn"))
    if budget > 1:
        changed = [
            Candidate(NONE_BROKEN, victim, {column.name: choice})
            for victim in victims[:VICTIMS_PER_RULE]
            for column in _changeable(layout)
            for choice in list(layout.contract.codes(column)) or ["1 CHANGED STREET", "2 CHANGED STREET"]
        ]
        changed = [candidate for candidate in changed if not candidate.change.items() <= _row(cells, candidate.victim).items()]
        for candidate in breaking_one(layout, cells, changed, night)[:1]:
            victims.remove(candidate.victim)
            found.append(Insertion(candidate.victim, _line(layout, cells, candidate), "duplicate_key", "quarantine", both=True))
    for rule in _overlap_rules(layout) if budget > 2 else []:
        overlapping = [candidate for victim in victims for candidate in _overlapping(layout, rule, victim, _row(cells, victim))]
        for candidate in breaking_one(layout, cells, overlapping, night)[:1]:
            victims.remove(candidate.victim)
            found.append(Insertion(candidate.victim, _line(layout, cells, candidate), rule.code, rule.severity))
    return found


def _overlapping(layout: Layout, rule: Rule, victim: int, row: Row) -> list[Candidate]:
    """The row under another id, its spell two days long and begun a day later; nothing where the row's own spell is too short."""
    start, end = _column(layout, rule.kwargs["start"]).name, _column(layout, rule.kwargs["end"]).name
    within = {_column(layout, name).name for name in rule.kwargs["within"]}
    ids = [c for c in layout.table.key_columns("row_key") if c.type == "text" and c.name not in within]
    begun, ended = (parsed(row.get(name) or "", layout.contract.format.date_format) for name in (start, end))
    if not ids or begun is None or ended is None or ended < begun + timedelta(days=4) or any(row.get(name) is None for name in within):
        return []
    style = DATE_FORMATS[layout.contract.format.date_format]
    spell: Row = {start: (begun + timedelta(days=1)).strftime(style), end: (begun + timedelta(days=3)).strftime(style)}
    return [Candidate(NONE_BROKEN, victim, spell | {ids[0].name: f"{row[ids[0].name]}7"})]


def _changeable(layout: Layout) -> list[Column]:
    """Columns in which two rows of one key can differ while both are valid: codes, else free text."""
    keys = {name for columns in layout.table.keys.values() for name in columns}
    other = [c for c in layout.table.columns if c.name not in keys and c.role != "change_type" and c.pattern is None]
    return [c for c in other if c.type == "code"] or [c for c in other if c.type == "text"][:1]


def _line(layout: Layout, cells: Cells, candidate: Candidate) -> str:
    row = _row(cells, candidate.victim) | candidate.change
    line: str = lines(layout, {name: pa.array([value], pa.string()) for name, value in row.items()}, 1)[0].as_py()
    return line


def spoil_header(layout: Layout, out: Path, night: date, planted: PlantedFaults) -> None:
    """Give a night's file a header that is not the contract's: one column renamed."""
    path = layout.path(out, night)
    header, rest = path.read_bytes().split(b"\n", 1)
    renamed = header.replace(b"LAD_CODE", b"COUNCIL")
    path.write_bytes(renamed + b"\n" + rest)
    planted.found.append(PlantedFault(layout.contract.feed, layout.table.name, path.name, night.isoformat(), 0, "header", "refuse"))
