"""Standardised evidence about each agency record, made in DuckDB from `raw_evidence`.

The tables are described where they are made, in `sql/evidence.sql`, `places.sql` and `name_rows.sql`: record, record_name,
record_place, record_places, name_row (input of the named model), record_dob and record_initials.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.link.roles import LINKAGE_ROLES
from warehouse.link.workspace import NICKNAMES, SQL_DIR, one_row, quoted, run_script

if TYPE_CHECKING:
    import duckdb

# One row per record: a fingerprint of all that is held about it, the same whatever the order of the rows. A date of birth
# after the night is no evidence yet, and will be.
RECORD_HASH = f"""
create or replace table record_hash as
select
    record_key, any_value(feed) as feed,
    (sum(hash(is_named, is_main, dob > getvariable('night'), {", ".join(LINKAGE_ROLES)})) % 18446744073709551616)::ubigint as evidence_hash
from raw_evidence
group by record_key
"""


# Record numbers stay below this, so that three times a number is an integer still.
LARGEST_NUMBER = 600_000_000


def build(session: duckdb.DuckDBPyConnection, night: date, with_room: bool = False) -> None:
    """Lay out all of `raw_evidence` for the models, as on a night that has nothing from the one before.

    Args:
        night: dates of birth after it are no evidence.
        with_room: leave room between the numbers of records, for those of later nights.
    """
    fingerprint(session, night)
    (records,) = one_row(session, "select count(*) from record_hash")
    standardise(session, room=max(LARGEST_NUMBER // (records + 1), 1) if with_room else 1)
    run_script(session, "first_night.sql")


def fingerprint(session: duckdb.DuckDBPyConnection, night: date) -> None:
    """Make `record_hash` (record_key, feed, evidence_hash) of `raw_evidence`, and set the night."""
    session.execute(f"set variable night = date '{night.isoformat()}'").fetchall()
    session.execute(RECORD_HASH).fetchall()


def standardise(session: duckdb.DuckDBPyConnection, room: int = 1) -> None:
    """Standardise `raw_evidence` and lay it out, with record numbers `room` apart; the night is set."""
    session.execute(f"set variable room = {room}").fetchall()
    session.execute(f"create or replace table nickname as select * from read_csv({quoted(NICKNAMES)}, header = true, all_varchar = true)").fetchall()
    run_script(session, "standardise.sql")
    lay_out(session)


def lay_out(session: duckdb.DuckDBPyConnection, scripts: Path = SQL_DIR) -> None:
    """Make the tables of evidence by the scripts of one form of identifiers (see `form`), which read `raw_evidence` or `raw_token`."""
    run_script(session, "evidence.sql", scripts)
    run_script(session, "places.sql")
    run_script(session, "name_rows.sql", scripts)
