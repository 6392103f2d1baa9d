"""DuckDB as the admit stage uses it: in memory, held down, spilling into a private folder, and silent about values."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit.errors import AdmitFault, disk_is_full
from warehouse.settings import settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Leaves room under 1 GB for Arrow batches and for what Python itself needs.
MEMORY_LIMIT = "512MB"
# By these words DuckDB tells that it could not write: the system's own, and those on its share of the disk for spilling.
FULL_DISK = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), "max_temp_directory_size")


@contextmanager
def duckdb_session(spill: Path, doing: str) -> Iterator[DuckDBPyConnection]:
    """An in-memory DuckDB that spills into `spill` and never loads extensions.

    Args:
        spill: a folder of its own in the folder of the work at hand.
        doing: what is being tried, as the end of "could not ...".

    Raises:
        AdmitFault: DuckDB could not do what it was asked; its own message, which repeats values, is dropped. A full disk is told.
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
        if any(sign in str(error) for sign in FULL_DISK):
            raise disk_is_full(doing, spill.parents[1]) from None
        raise AdmitFault(f"Could not {doing}: DuckDB {type(error).__name__}") from None
    finally:
        connection.close()
