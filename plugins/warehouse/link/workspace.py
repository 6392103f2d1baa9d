"""The private work folder of a night's linkage and the DuckDB connection that works in it.

The folder holds identifiers while scoring runs, so it is readable by its owner only and emptied before and after.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb

SQL_DIR = Path(__file__).with_name("sql")
NICKNAMES = Path(__file__).with_name("nicknames.csv")


def night_folder(night: date) -> Path:
    """Where the scored edges of a night lie."""
    return settings().work_dir / "link" / night.isoformat()


@contextmanager
def private_folder(purpose: str) -> Iterator[Path]:
    """An empty folder that only its owner may enter, removed with all it holds at the end.

    Folders of the same purpose that killed runs left behind go first, whatever night they were for: they may hold
    identifiers. So two runs of one purpose must not overlap; the DAGs see to that.
    """
    folder = settings().work_dir / "link" / f"private-{purpose}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def forget_nights_before(night: date) -> None:
    """Remove the scored edges of earlier nights: once a later night is linked, nothing may be made of them any more."""
    for folder in night_folder(night).parent.glob("????-??-??"):
        if folder.name < night.isoformat():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def duckdb_session(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB held to the configured memory and threads, spilling into `spill`; it never loads extensions."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": settings().memory_limit,
            "threads": settings().threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        yield connection
    finally:
        connection.close()


def run_script(connection: duckdb.DuckDBPyConnection, name: str, folder: Path = SQL_DIR) -> None:
    """Run one of the SQL scripts of this package, or of another folder."""
    connection.execute((folder / name).read_text(encoding="utf-8")).fetchall()


def one_row(session: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The only row of a query. The result is read to its end: an unread one blocks a DuckDB connection."""
    (row,) = session.execute(query).fetchall()
    return tuple(row)


def quoted(path: Path) -> str:
    """A path as an SQL text literal."""
    return "'" + str(path).replace("'", "''") + "'"
