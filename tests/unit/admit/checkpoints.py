"""Helpers of the unit tests of admission: build a checkpoint from text without a database, and read it back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse.admit.building import build_into
from warehouse.admit.facts import Facts
from warehouse.contracts.model import Contract

NIGHT = date(2026, 11, 1)


def built(tmp_path: Path, contract: Contract, tables: dict[str, str | bytes]) -> tuple[Path, Facts]:
    """The folder and facts of a checkpoint made of files with these contents, by table."""
    landed, folder = tmp_path / "landed", tmp_path / "checkpoint"
    landed.mkdir()
    folder.mkdir()
    for table, content in tables.items():
        (landed / f"{table}.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder, build_into(folder, landed, NIGHT, contract, {table: [f"{table}.txt"] for table in tables}, "hash")


def lines(contract: Contract, table: str, rows: list[dict[str, str]]) -> str:
    """A file of the table's columns; columns that a row leaves out are empty."""
    delimiter, names = contract.format.delimiter, [c.name for c in contract.tables[table].columns]
    return "".join(delimiter.join(fields) + "\n" for fields in [names, *([row.get(name, "") for name in names] for row in rows)])


def select(folder: Path, file: str, columns: str) -> list[Any]:
    """Columns of one of the checkpoint's files, in the order of the rows; single columns as plain values."""
    with duckdb.connect() as session:
        found = session.execute(f"select {columns} from read_parquet('{folder / file}.parquet') order by _row_number").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def failed(facts: Facts, table: str) -> dict[str, int]:
    """The rules that rows of a table broke, with the number of rows."""
    return {rule.rule: rule.failed_rows for rule in facts.tables[table].rules if rule.failed_rows}
