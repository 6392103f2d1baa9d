"""Standardised evidence about each agency record, made in DuckDB from `raw_evidence`.

The tables are described where they are made, in `sql/evidence.sql`: record, record_name, record_place, record_places and
name_row (input of the named model).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from warehouse.link.workspace import NICKNAMES, quoted, run_script

if TYPE_CHECKING:
    import duckdb


def build(session: duckdb.DuckDBPyConnection, night: date) -> None:
    """Standardise `raw_evidence` and lay it out for the models.

    Args:
        night: dates of birth after it are no evidence.
    """
    session.execute(f"set variable night = date '{night.isoformat()}'").fetchall()
    session.execute(f"create or replace table nickname as select * from read_csv({quoted(NICKNAMES)}, header = true, all_varchar = true)").fetchall()
    run_script(session, "standardise.sql")
    run_script(session, "evidence.sql")
