"""Second step of the stage: from scored edges to persons, written to the warehouse in one transaction."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.database import clean_errors, connect
from warehouse.link import metrics, persons
from warehouse.link.cluster import clusters
from warehouse.link.errors import clean_duckdb_errors
from warehouse.link.score import OUTPUTS
from warehouse.link.transfer import copy_in
from warehouse.link.workspace import quoted

if TYPE_CHECKING:
    import duckdb

NODES = """
create or replace table person_node as
select r.record_no, r.record_key, r.feed, coalesce(c.cluster_no, r.record_no) as cluster_no
from record as r left join cluster as c using (record_no)
"""

EDGE_KEYS = """
select l.record_key as record_key_l, r.record_key as record_key_r, e.model, e.match_weight, e.match_probability, e.match_key
from edge as e inner join record as l on l.record_no = e.record_l inner join record as r on r.record_no = e.record_r
"""


def load_scored(session: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Read what scoring left in `folder` back into the tables of OUTPUTS."""
    for name in OUTPUTS:
        session.execute(f"create or replace table {name} as select * from read_parquet({quoted(folder / f'{name}.parquet')})").fetchall()


def cluster_links(session: duckdb.DuckDBPyConnection) -> None:
    """Make `person_node` (record_no, record_key, feed, cluster_no) of the tables of OUTPUTS, and complete `metric`."""
    session.execute("create or replace temp view link_edge as select record_l, record_r, match_weight from edge where links").fetchall()
    cut = clusters(session, "link_edge", "conflict", "cluster")
    session.execute(NODES).fetchall()
    metrics.measure(session, cut)


def write(session: duckdb.DuckDBPyConnection, night: date, folder: Path) -> dict[str, int]:
    """Bring the linkage tables to tonight's clusters, all at once or not at all.

    Args:
        folder: where files on their way to the database may lie.

    Raises:
        LinkageFault: a later night has been linked already.
        DatabaseFault: the database refused; nothing has changed.
    """
    nodes, edges, measures = (folder / f"{name}.csv" for name in ("node", "edge", "metric"))
    with clean_duckdb_errors("write out the clusters"):
        _export(session, "select record_key, feed, cluster_no from person_node", nodes)
        _export(session, f"select date '{night.isoformat()}' as night, * from ({EDGE_KEYS})", edges)
        _export(session, f"select date '{night.isoformat()}' as night, * from metric", measures)
    with clean_errors("write the linkage tables"), connect("linker") as connection:
        # One night at a time: a second run of the stage waits here for the first.
        connection.execute("lock table linkage.person_link in share row exclusive mode")
        persons.check_last_night(connection, night)
        connection.execute("create temp table new_record (record_key uuid primary key, feed text, cluster_no integer) on commit drop")
        copy_in(connection, None, "new_record", nodes)
        counts = persons.settle(connection, night)
        connection.execute("truncate linkage.edge")
        copy_in(connection, "linkage", "edge", edges)
        connection.execute("delete from ops.linkage_metric where night = %s and not starts_with(metric, %s)", [night, metrics.TRUTH_PREFIX])
        copy_in(connection, "ops", "linkage_metric", measures)
        metrics.write_events(connection, night, counts)
    return counts


def _export(session: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    session.execute(f"copy ({query}) to {quoted(path)} (format csv, header true)").fetchall()
