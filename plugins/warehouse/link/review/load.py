"""A linked night's evidence, for looking at single pairs of it: from what the night kept, else from the vault anew."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.load import all_contracts
from warehouse.database import clean_errors, connect
from warehouse.link import evidence, extract, state
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.score import LEVELS
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import quoted, run_script

if TYPE_CHECKING:
    import duckdb

# What scoring was done on, and what it was weighed against. Columns that tell what is new on a night are added back.
KEPT = {
    "record": "select *, true as is_changed from earlier.record",
    "name_row": "select *, true as is_changed from earlier.name_row",
    "record_place": "select * from earlier.record_place",
    "record_places": "select * from earlier.record_places",
    "record_dob": "select * from earlier.record_dob",
    "record_initials": "select * from earlier.record_initials",
    "population": "select * from earlier.population",
    "term": "select * from earlier.term",
}
ANY_AGE = 10**6


def last_linked() -> date:
    """The night that was linked last.

    Raises:
        LinkageFault: none was.
        DatabaseFault: the database could not be read.
    """
    with clean_errors("look for the night linked last"), connect("linker") as connection:
        row = connection.execute("select max(night) from linkage.resolved_night").fetchone()
    if row is None or row[0] is None:
        raise LinkageFault("No night has been linked yet")
    night: date = row[0]
    return night


def load_evidence(session: duckdb.DuckDBPyConnection, night: date, folder: Path) -> None:
    """Make the tables of `evidence` for a night.

    Args:
        folder: private folder for files on their way from the database.

    Raises:
        DatabaseFault: the vault could not be read.
        LinkageFault: the evidence could not be laid out.
    """
    contracts = all_contracts()
    kept = state.usable(night + timedelta(days=1), contracts, ANY_AGE)
    if kept is None or kept.night != night:
        with clean_duckdb_errors("read the vault into DuckDB"):
            extract.from_vault(session, contracts, night, folder)
        with clean_duckdb_errors("standardise the identifiers"):
            evidence.build(session, night)
        return
    with clean_duckdb_errors("read the evidence of the night"):
        state.attach(session, kept)
        run_script(session, "first_night.sql")
        for table, query in KEPT.items():
            session.execute(f"create or replace table {table} as {query}").fetchall()


def load_links(session: duckdb.DuckDBPyConnection, night: date, folder: Path) -> None:
    """Make `night_link` of the links as they stood after a night: record_no, and the record's person as a number at each certainty.

    `person_no` is that at the certainty that is modelled, beside `strict_no` and `inclusive_no`.

    Raises:
        DatabaseFault: the links could not be read.
    """
    from psycopg import sql

    query = sql.SQL("select record_key, dense_rank() over (order by person_id) as person_no from linkage.person_link_as_at({night}, {certainty})")
    files = {certainty: folder / f"link_{certainty}.csv" for certainty in LEVELS}
    with clean_errors("read the links"), connect("linker") as connection:
        for certainty, path in files.items():
            copy_out(connection, query.format(night=sql.Literal(night), certainty=sql.Literal(certainty)), path)
    read = {certainty: f"read_csv({quoted(path)}, header = true, columns = {{'record_key': 'uuid', 'person_no': 'int'}})" for certainty, path in files.items()}
    with clean_duckdb_errors("read the links"):
        session.execute(
            f"""
            create or replace table night_link as
            select r.record_no, m.person_no, s.person_no as strict_no, i.person_no as inclusive_no
            from {read["balanced"]} as m inner join {read["strict"]} as s using (record_key) inner join {read["inclusive"]} as i using (record_key)
            inner join record as r using (record_key)
            """
        ).fetchall()
