"""Tonight's evidence from what the night before kept (`state`) and what the vault has changed since.

Records whose evidence is the same as before keep their edges; only records that are new, or about which something else is
held now, are standardised and marked `is_changed`, for scoring to compare them with all others. What comes of it is what
a full night makes of the same vault with the term frequencies and population sizes of the last full night.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.model import Contract
from warehouse.link import evidence, extract, state
from warehouse.link.state import State
from warehouse.link.workspace import one_row, run_script

if TYPE_CHECKING:
    import duckdb

# Of the touched records, those of feeds read whole, and what is held about them now, leave the ones that differ.
CHANGES = """
alter table record_hash rename to fresh_hash;
create or replace table gone_record as
select record_key from earlier.record_hash
where (record_key in (select record_key from touched_record) or list_contains($anew, feed)) and record_key not in (select record_key from fresh_hash);
delete from raw_evidence
where record_key in (select f.record_key from fresh_hash as f inner join earlier.record_hash as e using (record_key, evidence_hash))
"""


def build(session: duckdb.DuckDBPyConnection, earlier: State, contracts: Sequence[Contract], night: date, folder: Path) -> bool:
    """Make the tables that `evidence.build` makes for the vault as it stood on a night, from an earlier night's.

    Args:
        folder: where private files on their way may lie.

    Returns:
        Whether it could be done: there is room for so many new records between the numbers of the others.

    Raises:
        DatabaseFault: the vault could not be read.
    """
    anew = feeds_to_read_anew(earlier)
    extract.changes_from_vault(session, contracts, earlier.night, night, anew, folder)
    state.attach(session, earlier)
    find_changes(session, night, anew)
    return put_together(session)


def feeds_to_read_anew(earlier: State) -> list[str]:
    """The feeds whose history up to the earlier night is no longer what that night saw."""
    now = extract.deliveries_seen(earlier.night)
    return sorted(feed for feed in now.keys() | earlier.seen.keys() if now.get(feed) != earlier.seen.get(feed))


def find_changes(session: duckdb.DuckDBPyConnection, night: date, anew: Collection[str]) -> None:
    """Leave in `raw_evidence` the records alone that differ from what was held before, and make `gone_record` and `fresh_hash`."""
    evidence.fingerprint(session, night)
    for statement in CHANGES.split(";\n"):
        session.execute(statement, {"anew": list(anew)} if "$anew" in statement else None).fetchall()


def put_together(session: duckdb.DuckDBPyConnection) -> bool:
    """Standardise what `find_changes` left and join it with what the earlier night kept.

    Returns:
        Whether there was room for the numbers of all new records.
    """
    with _schema(session, "fresh"):
        evidence.standardise(session)
    run_script(session, "incremental.sql")
    return one_row(session, "select coalesce(bool_and(has_room), true) from number") == (True,)


@contextmanager
def _schema(session: duckdb.DuckDBPyConnection, name: str) -> Iterator[None]:
    """Make tables and macros in a schema of their own, while those of the main one can be read."""
    session.execute(f"create schema if not exists {name}").fetchall()
    session.execute(f"set search_path = '{name},main'").fetchall()
    try:
        yield
    finally:
        session.execute("set search_path = 'main'").fetchall()
