"""Take erased records out of what linkage keeps in files between nights, and leave the rest as it is: the next night need not start anew.

The scores of other people stay. A person or client that an erased record was pooled with is laid out and weighed again on the next
night (`unplaced`, see `state.TABLES`), since what is known of it has changed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from warehouse.link import state
from warehouse.link.changes import copy_folder
from warehouse.link.errors import clean_duckdb_errors
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import duckdb_session, one_row, private_folder, quoted

if TYPE_CHECKING:
    import duckdb
    import psycopg

ERASED_KEYS = "create table erased_key as select record_key from read_csv({file}, header = true, auto_detect = false, columns = {{'record_key': 'uuid'}})"
ERASED = """
create or replace table erased as select record_no from earlier.record semi join erased_key using (record_key);
create or replace table erased_unit as select distinct unit_no from earlier.unit semi join erased using (record_no)
"""
_RECORDS = "from earlier.{table} anti join erased using (record_no)"
_PAIRS = "from earlier.{table} where record_l not in (from erased) and record_r not in (from erased)"
_UNITS = "from earlier.{table} anti join erased_unit using (unit_no)"
_UNIT_PAIRS = "from earlier.{table} where unit_a not in (from erased_unit) and unit_b not in (from erased_unit)"
# How common a value is stays known while anybody has it; then only how many rows there were, for the others' shares.
_TERMS = """
with held as (
    select 'forename' as term_column, forename as value from earlier.name_row anti join erased using (record_no)
    union select 'surname', surname from earlier.name_row anti join erased using (record_no)
    union select 'dob', dob from earlier.record_dob anti join erased using (record_no)
    union select 'initials', forename_initial || surname_initial from earlier.record_initials anti join erased using (record_no)
)
select t.scoring, t.term_column, h.value, sum(t.rows)::bigint as rows from earlier.term as t left join held as h using (term_column, value) group by all
"""
_UNPLACED = """
from earlier.unplaced anti join erased using (record_no)
union
select record_no from earlier.unit semi join erased_unit using (unit_no) anti join erased using (record_no)
"""
# What is left of each table of a state.
LEFT = {
    "record": _RECORDS,
    "record_hash": "from earlier.{table} anti join erased_key using (record_key)",
    "name_row": _RECORDS,
    "name_key": "from earlier.{table} anti join (from earlier.name_row semi join erased using (record_no)) using (row_id)",
    "record_place": _RECORDS,
    "record_places": _RECORDS,
    "record_dob": _RECORDS,
    "record_initials": _RECORDS,
    "population": "from earlier.{table}",
    "term": _TERMS,
    "named_edge": _PAIRS,
    "client_weight": _UNIT_PAIRS,
    "person_weight": _UNIT_PAIRS,
    "unit_edge": "from earlier.{table} where record_l not in (from erased_unit) and record_r not in (from erased_unit)",
    "conflict": _PAIRS,
    "unit": _UNITS,
    "unit_row": _UNITS,
    "person_key": "from earlier.{table} anti join (from earlier.unit_row semi join erased_unit using (unit_no)) using (row_id)",
    "unplaced": _UNPLACED,
}


def forget_in_files(connection: psycopg.Connection, erased: str) -> UUID | None:
    """Take erased records out of the kept states and the copy of the links; what it replaces the copy by is for the caller to note.

    Args:
        erased: table of the connection with the keys of the records (record_key).

    Returns:
        The new copy of the links that stand, which `linkage.resolved_night` must name once the caller's transaction is done; None when
        there is none.
    """
    from psycopg import sql

    with private_folder("erase") as folder:
        path = folder / "erased.csv"
        copy_out(connection, sql.SQL("select distinct record_key from {}").format(sql.Identifier(erased)), path)
        with duckdb_session(folder / "spill") as session, clean_duckdb_errors("take erased records out of what linkage keeps"):
            session.execute(ERASED_KEYS.format(file=quoted(path))).fetchall()
            for kept in state.all_kept():
                forget_in_state(session, kept)
            return _forget_in_copy(session, connection)


def forget_in_state(session: duckdb.DuckDBPyConnection, kept: state.State) -> None:
    """Write a state anew without the records of table `erased_key` (record_key), whole or not at all."""
    state.attach(session, kept)
    for statement in ERASED.split(";\n"):
        session.execute(statement).fetchall()
    if one_row(session, "select exists (from erased)") == (True,):
        state.write(session, kept, {table: query.format(table=table) for table, query in LEFT.items()})


def _forget_in_copy(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection) -> UUID | None:
    """Write the copy of the links anew without the erased records, under a name of its own."""
    last = connection.execute("select copy_id from linkage.resolved_night order by night desc limit 1").fetchone()
    before = copy_folder(last[0]) if last is not None and last[0] is not None else None
    if before is None or not before.is_dir():
        return None
    copy_id = uuid4()
    after = copy_folder(copy_id)
    after.mkdir(mode=0o700)
    link, edge = (f"read_parquet({quoted(before / name)})" for name in ("link.parquet", "edge.parquet"))
    for name, query in (
        ("link", f"from {link} anti join erased_key using (record_key)"),
        ("edge", f"from {edge} where record_key_l not in (from erased_key) and record_key_r not in (from erased_key)"),
    ):
        session.execute(f"copy ({query}) to {quoted(after / f'{name}.parquet')} (format parquet)").fetchall()
    return copy_id


def drop_other_copies(kept: UUID | None) -> None:
    """Remove every copy of the links but one."""
    for folder in _copies():
        if kept is None or folder != copy_folder(kept):
            shutil.rmtree(folder, ignore_errors=True)


def _copies() -> Iterator[Path]:
    return copy_folder(UUID(int=0)).parent.glob("*")
