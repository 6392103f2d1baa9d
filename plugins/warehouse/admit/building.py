"""Build a checkpoint: every file of a delivery inspected, read, typed and checked, in one DuckDB session."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit.deliveries import Finding
from warehouse.admit.duck import duckdb_session
from warehouse.admit.facts import Facts, TableFacts
from warehouse.admit.files import FileShape, FilesRefused, inspect
from warehouse.admit.parse import Source
from warehouse.admit.read import RawRows, read
from warehouse.admit.rows import source_of, write_rows
from warehouse.admit.violations import MALFORMED_ROW, TableViolations
from warehouse.contracts.compile import row_checks
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.predicates import rows_of
from warehouse.contracts.suite import Rule
from warehouse.contracts.suite import build as rules_of
from warehouse.settings import settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class _Loaded:
    """A table whose rows have been written."""

    table: Table
    path: Path
    landed: os.stat_result
    raw: RawRows
    source: Source
    rules: list[Rule]


def build_into(folder: Path, landed: Path, night: date, contract: Contract, files: dict[str, list[str]], contract_hash: str) -> Facts:
    """Make every file of the checkpoint in an empty folder; work files are gone at the end.

    Args:
        landed: where the delivery's files lie.
        night: the delivery's night.
        files: file names by table.

    Raises:
        FilesRefused: a file is missing or cannot be loaded.
        AdmitFault: DuckDB could not do its work.
    """
    findings = file_findings(contract, files)
    shapes: dict[str, FileShape] = {}
    for table in contract.tables.values():
        for name in files.get(table.name, [])[:1]:
            try:
                shapes[table.name] = inspect(landed / name, table, contract.format)
                findings += shapes[table.name].findings
            except FilesRefused as refused:
                findings += refused.findings
    if any(finding.refuses for finding in findings):
        raise FilesRefused(findings)
    with duckdb_session(folder / "spill", f"read the delivered files of {contract.feed}") as session:
        loaded = []
        for rules in rules_of(contract):
            if rules.table.name in shapes:
                path = landed / files[rules.table.name][0]
                loaded.append(_load(folder, night, contract, rules.table, rules.rules, path, shapes[rules.table.name], findings, session))
        tables = {part.table.name: _judge(folder, contract, part, session) for part in loaded}
    for part in loaded:
        part.raw.rows.unlink()
        part.raw.malformed.unlink()
    findings += [_malformed(part, len(shapes[part.table.name].columns)) for part in loaded]
    return Facts(contract_hash, tables, findings)


def file_findings(contract: Contract, files: dict[str, list[str]]) -> list[Finding]:
    """Tables whose file did not come, or came more than once. Only a snapshot must bring every table."""
    may_miss = contract.delivery.kind != "snapshot" and bool(files)
    findings = []
    for table in contract.tables.values():
        names = files.get(table.name, [])
        if not names and not may_miss:
            message = f"no file named {table.file} came; send it, or leave nothing in the folder"
            findings.append(Finding(table.name, "missing_file", None, "refuse", None, 1, message))
        if len(names) > 1:
            message = f"{len(names)} files came for one table ({', '.join(names)}); send one"
            findings.append(Finding(table.name, "one_file_per_table", None, "refuse", None, len(names), message))
    return findings


def _load(
    folder: Path, night: date, contract: Contract, table: Table, rules: list[Rule], path: Path, shape: FileShape, findings: list[Finding],
    session: DuckDBPyConnection,
) -> _Loaded:  # fmt: skip
    """Write one table's typed rows, and make the view by which rules look at them.

    Raises:
        FilesRefused: the rows cannot be told apart; with what was found of the files before.
    """
    before = path.stat()
    try:
        raw = read(path, shape, table, contract.format, folder, session)
    except FilesRefused as refused:
        raise FilesRefused([*findings, *refused.findings]) from None
    source = source_of(raw, table, session)
    target = folder / f"{table.name}.rows.parquet"
    write_rows(contract, table, source, night, settings().feed_key(contract.feed), row_checks(rules), target, session)
    constant = f"date {literal(night.isoformat())} as night"
    session.execute(f"create view {quoted(rows_of(table.name))} as select *, {constant} from read_parquet({literal(str(target))})")
    return _Loaded(table, path, before, raw, source, rules)


def _judge(folder: Path, contract: Contract, part: _Loaded, session: DuckDBPyConnection) -> TableFacts:
    """Write what the rules found in one table."""
    name = part.table.name
    found = TableViolations(contract, part.table, part.rules, part.source, part.raw.malformed, session)
    rules, refused, repeated = found.find(*(folder / f"{name}.{kind}.parquet" for kind in ("violations", "refused", "repeated")))
    received = part.raw.well_formed_count + part.raw.malformed_count
    return TableFacts(part.path.name, part.landed.st_size, part.landed.st_mtime_ns, received, part.raw.malformed_count, refused, repeated, rules)


def _malformed(part: _Loaded, width: int) -> Finding:
    received = part.raw.well_formed_count + part.raw.malformed_count
    message = f"The row of {part.table.name} does not have the {width} fields of the header"
    return Finding(part.table.name, MALFORMED_ROW, None, "quarantine", received, part.raw.malformed_count, message)
