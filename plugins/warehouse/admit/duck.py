"""DuckDB as the admit stage uses it: in memory, held down, spilling into a private folder, and silent about values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit.errors import AdmitFault
from warehouse.settings import settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Leaves room under 1 GB for Arrow batches and for what Python itself needs.
MEMORY_LIMIT = "512MB"


@contextmanager
def duckdb_session(spill: Path, doing: str) -> Iterator[DuckDBPyConnection]:
    """An in-memory DuckDB that spills into `spill` and never loads extensions.

    Args:
        doing: what is being tried, as the end of "could not ...".

    Raises:
        AdmitFault: DuckDB could not do what it was asked; its own message, which repeats values, is dropped.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": settings().threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        yield connection
    except duckdb.Error as error:
        raise AdmitFault(f"Could not {doing}: DuckDB {type(error).__name__}") from None
    finally:
        connection.close()
