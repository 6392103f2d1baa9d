"""Write the result of a DuckDB query to Parquet in the query's order, with all threads and within bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit.duck import MEMORY_LIMIT
from warehouse.contracts.ddl import literal
from warehouse.settings import settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A row group is held in memory as a whole by each thread: fewer rows of a wide table.
GROUP_VALUES, LEAST_ROWS, MOST_ROWS, VECTOR_ROWS = 2_500_000, 20_480, 122_880, 2_048
# DuckDB 2.0 sets aside 4 MB for each column and thread of an ordered write, and works with one thread if that is more than
# some 40 % of its limit. With row groups of our size it needs a small part of it.
RESERVED_BYTES, LARGEST_SHARE = 4 << 20, 0.4


def write_in_order(session: DuckDBPyConnection, query: str, path: Path, width: int) -> int:
    """Write the query's rows to a Parquet file in their order; returns how many.

    Args:
        width: number of columns.
    """
    group_rows = min(MOST_ROWS, max(LEAST_ROWS, GROUP_VALUES // width // VECTOR_ROWS * VECTOR_ROWS))
    reserved = width * settings().threads * RESERVED_BYTES / LARGEST_SHARE
    session.execute(f"set memory_limit = greatest(parse_formatted_bytes({literal(MEMORY_LIMIT)}), {reserved:.0f}) || 'B'")
    try:
        ((count,),) = session.execute(f"copy ({query}) to {literal(str(path))} (format parquet, compression lz4_raw, row_group_size {group_rows})").fetchall()
    finally:
        session.execute(f"set memory_limit = {literal(MEMORY_LIMIT)}")
    return int(count)
