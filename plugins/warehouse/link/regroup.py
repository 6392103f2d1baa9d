"""Clusters and conflicts on a night that goes on from an earlier one: looked for again where something has changed, as they were elsewhere.

What hangs together with no changed record, and has lost no edge, has the same edges, conflicts and clusters as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link.cluster import clusters, count_cut
from warehouse.link.conflicts import find_conflicts
from warehouse.link.form import CLEAR, Form
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# Records with names where clusters may not be what they were: the changed ones, those that lost
# an edge with one that changed or went, and those whose person one was erased from.
LOST_AN_EDGE = """
create or replace temp view started_from as
select record_no from record where is_changed
union
select record_r from earlier.named_edge where record_l in (from replaced) and record_r not in (from replaced)
union
select record_l from earlier.named_edge where record_r in (from replaced) and record_l not in (from replaced)
union
select record_no from earlier.unplaced anti join replaced using (record_no)
"""
# Among all records, where a conflict could be new: at changed records, and at edges that the night before did not have. (Among records
# with names a new edge always has a changed end.)
NEW_EDGE = """
create or replace temp view started_from as
with unit_edge as (select record_l, record_r from client_edge union all select record_l, record_r from person_edge),
new_edge as (from unit_edge except from earlier_unit_edge)
select record_no from record where is_changed
union
select unnest([record_l, record_r]) from new_edge
"""
GROWN = """
create or replace temp table grown as
select record_no
from (
    select record_r as record_no from {edges} semi join reached_last on record_l = reached_last.record_no
    union
    select record_l from {edges} semi join reached_last on record_r = reached_last.record_no
) anti join {into} using (record_no)
"""
CLUSTERS = """
create or replace table named_cluster as
select record_no, unit_no as cluster_no from earlier_unit where side = 'person' and records > 1 and record_no not in (from touched)
union all
from touched_cluster
"""


def is_partial(session: duckdb.DuckDBPyConnection) -> bool:
    """Whether the session goes on from an earlier night and not everything has changed since."""
    return one_row(session, "select exists (select 1 from record where not is_changed)") == (True,)


def cluster_named(session: duckdb.DuckDBPyConnection, largest_component: int, form: Form = CLEAR) -> int:
    """Make `named_cluster` (record_no, cluster_no) of the edges `named_link`; records in no cluster with others may be left out.

    Returns:
        Number of edges cut: those whose two records ended in different clusters.

    Raises:
        NightRefused: too many records hang together.
    """
    if not is_partial(session):
        find_conflicts(session, "named_link", largest_component, form)
        clusters(session, "named_link", "conflict", "named_cluster")
    else:
        _find_near(session, LOST_AN_EDGE, "named_link", largest_component, form)
        clusters(session, "edge_in_doubt", "conflict", "touched_cluster")
        session.execute(CLUSTERS).fetchall()
    return count_cut(session, "named_link", "named_cluster")


def find_all_conflicts(session: duckdb.DuckDBPyConnection, largest_component: int, form: Form = CLEAR) -> None:
    """Make `conflict` (record_l, record_r): at least the pairs inside a connected component of `edge` that cannot be one person.

    Raises:
        NightRefused: too many records hang together.
    """
    if is_partial(session):
        _find_near(session, NEW_EDGE, "edge", largest_component, form)
        session.execute("create or replace table conflict as select * from conflict union select * from earlier_conflict").fetchall()
    else:
        find_conflicts(session, "edge", largest_component, form)


def _find_near(session: duckdb.DuckDBPyConnection, start: str, edges: str, largest_component: int, form: Form) -> None:
    """Find conflicts in what hangs together with the records of a query by the edges; makes `touched` (record_no) and `edge_in_doubt` of it."""
    session.execute(start).fetchall()
    _reach(session, edges, "started_from", "touched")
    session.execute(f"create or replace temp view edge_in_doubt as select * from {edges} where record_l in (from touched)").fetchall()
    find_conflicts(session, "edge_in_doubt", largest_component, form)


def _reach(session: duckdb.DuckDBPyConnection, edges: str, start: str, into: str) -> None:
    """Make table `into` (record_no) of the records of `start` and all that edges connect them with, step by step."""
    session.execute(f"create or replace table {into} as from {start}").fetchall()
    session.execute(f"create or replace temp table reached_last as from {into}").fetchall()
    while one_row(session, "select exists (from reached_last)") == (True,):
        session.execute(GROWN.format(edges=edges, into=into)).fetchall()
        session.execute(f"insert into {into} from grown").fetchall()
        session.execute("create or replace temp table reached_last as from grown").fetchall()
