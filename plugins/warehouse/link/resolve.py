"""Second step of the stage: from scored edges to persons, written to the warehouse in one transaction.

Only what differs from the night before is written: links of clusters whose members changed, edges whose score changed.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.database import clean_errors, connect
from warehouse.link import changes, guards, metrics, persons
from warehouse.link.cluster import nested_clusters
from warehouse.link.errors import clean_duckdb_errors
from warehouse.link.models import policy
from warehouse.link.score import LEVELS, OUTPUTS
from warehouse.link.transfer import copy_in
from warehouse.link.workspace import quoted

if TYPE_CHECKING:
    import duckdb
    import psycopg

NODES = """
create or replace table node as
select r.record_no, r.record_key, r.feed, {clusters}
from record as r left join cluster as c using (record_no);
create or replace table person_node as select record_no, record_key, feed, {modelled} as cluster_no from node
"""

TO_SETTLE = """
create temp table new_record (record_key uuid, feed text, certainty text, cluster_no integer) on commit drop;
create temp table gone_record (record_key uuid, certainty text) on commit drop;
create temp table gone_edge (record_key_l uuid, record_key_r uuid) on commit drop;
"""
DROP_EDGES = """
delete from linkage.edge as e using gone_edge as g where e.record_key_l = g.record_key_l and e.record_key_r = g.record_key_r
"""

DROP_METRICS = """
delete from ops.linkage_metric as m
where m.night = %s and not exists (select from unnest(%s::text[]) as p (prefix) where starts_with(m.metric, p.prefix))
"""


def load_scored(session: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Read what scoring left in `folder` back into the tables of OUTPUTS."""
    for name in OUTPUTS:
        session.execute(f"create or replace table {name} as select * from read_parquet({quoted(folder / f'{name}.parquet')})").fetchall()


def cluster_links(session: duckdb.DuckDBPyConnection) -> None:
    """Cluster the records of the tables of OUTPUTS, and complete `metric`.

    Makes `node` (record_no, record_key, feed, and the cluster at each certainty) and `person_node` (record_no, record_key, feed,
    cluster_no at the certainty that is modelled).
    """
    nested_clusters(session, "edge", "conflict", "cluster", LEVELS)
    clusters = ", ".join(f"coalesce(c.{certainty}, r.record_no) as {certainty}" for certainty in LEVELS)
    session.execute(NODES.format(clusters=clusters, modelled=persons.MODELLED)).fetchall()
    metrics.measure(session, LEVELS)


def write(session: duckdb.DuckDBPyConnection, night: date, folder: Path) -> dict[str, int]:
    """Bring the linkage tables to tonight's clusters, all at once or not at all.

    Args:
        folder: where files on their way to the database may lie.

    Raises:
        LinkageFault: a later night has been linked already.
        NightRefused: a guard stops the night.
        DatabaseFault: the database refused; in every case nothing has changed.
    """
    with clean_errors("write the linkage tables"), connect("linker") as connection:
        # One night at a time: a second run of the stage waits here for the first.
        connection.execute("lock table linkage.person_link in share row exclusive mode")
        persons.check_last_night(connection, night)
        guards.check_night(connection, night, metrics.measured(session), policy().guards)
        with clean_duckdb_errors("compare the clusters with the links that stand"):
            changes.load_standing(session, connection, night, folder)
            changes.find(session)
        counts = _settle(session, connection, night, folder)
        _write_edges(session, connection, night, folder)
        _write_metrics(session, connection, night, folder, counts)
        with clean_duckdb_errors("keep a copy of the links"):
            changes.keep_copy(session, connection, night)
    return counts


def _settle(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, night: date, folder: Path) -> dict[str, int]:
    """Give the changed clusters their persons, unless too many records would change theirs; the counts of the night."""
    connection.execute(TO_SETTLE)
    _send(session, connection, "select * from changed_record order by record_key, certainty", None, "new_record", folder)
    _send(session, connection, "select * from gone_record", None, "gone_record", folder)
    churn = metrics.churn(session, persons.claim(connection, night))
    guards.check_churn(connection, night, churn, policy())
    return metrics.totals(session) | persons.settle(connection, night)


def _write_edges(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, night: date, folder: Path) -> None:
    _send(session, connection, "select * from edge_gone", None, "gone_edge", folder)
    connection.execute("analyze gone_edge")
    connection.execute(DROP_EDGES)
    _send(session, connection, f"select date '{night.isoformat()}' as night, * from edge_new", "linkage", "edge", folder)


def _write_metrics(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, night: date, folder: Path, counts: dict[str, int]) -> None:
    connection.execute(DROP_METRICS, [night, metrics.MEASURED_APART])
    _send(session, connection, f"select date '{night.isoformat()}' as night, * from metric", "ops", "linkage_metric", folder)
    metrics.write_events(connection, night, counts)


def _send(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, query: str, schema: str | None, table: str, folder: Path) -> None:
    """Append the rows of a query on the session to a table of the warehouse, its first columns being those of the query."""
    path = folder / f"{table}.csv"
    with clean_duckdb_errors(f"write out {table}"):
        session.execute(f"copy ({query}) to {quoted(path)} (format csv, header true)").fetchall()
    copy_in(connection, schema, table, path)
    path.unlink()
