"""The landing tables of a delivery being checked: what its rows broke, and its profile, for Great Expectations to judge.

For each feed table `landing.<feed>__<table>__violation` (one row per row and rule it broke) and `__profile` (one row per
measure). They are unlogged, hold no person's value, and live while the delivery is judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from psycopg import Connection

from warehouse.admit.duck import duckdb_session
from warehouse.admit.transfer import copy_in
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Contract, Table

VIOLATION, PROFILE = "__violation", "__profile"


def relation(table: Table, suffix: str) -> str:
    """The SQL name of one of the table's landing relations."""
    return f"landing.{quoted(table.relation + suffix)}"


def drop(contract: Contract, connection: Connection[Any]) -> None:
    """Drop every landing table of the feed."""
    names = [relation(table, suffix) for table in contract.tables.values() for suffix in (VIOLATION, PROFILE)]
    connection.execute("set client_min_messages = warning")
    connection.execute(f"drop table if exists {', '.join(names)}")


def fill(table: Table, violations: Path, measures: Iterable[tuple[str, float]], connection: Connection[Any]) -> None:
    """Make the landing tables of one table.

    Args:
        violations: the table's violations in the delivery's checkpoint.
        measures: names and values of the profile.

    Raises:
        AdmitFault: the checkpoint could not be read.
    """
    violation, profile = relation(table, VIOLATION), relation(table, PROFILE)
    connection.execute(f"create unlogged table {violation} (_row_number bigint not null, rule text not null)")
    with duckdb_session(violations.parent / "spill", f"read what the rows of {table.relation} broke") as session:
        query = f"select _row_number, rule from read_parquet({literal(str(violations))}) order by rule"
        copy_in(session, query, connection, violation)
    connection.execute(f"create index on {violation} (rule)")
    connection.execute(f"create unlogged table {profile} (name text primary key, value double precision not null)")
    with connection.cursor().copy(f"copy {profile} from stdin") as copy:
        for measure in measures:
            copy.write_row(measure)
    connection.execute(f"analyze {violation}, {profile}")
