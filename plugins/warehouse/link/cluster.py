"""From scored edges to clusters, with records that contradict each other kept apart.

Works on integer record numbers in DuckDB tables; nothing here sees an identifier. Where no conflict lies inside a connected
component, the component is the cluster. The others are built up from single records by always joining the two clusters
with the heaviest permitted edge. Joining every pair of clusters that are each other's best at the same time
gives the same result as taking edges one by one in order of weight: a join never makes a forbidden edge permitted
again, so an edge that is best at both ends stays so until it is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb


def connected_components(session: duckdb.DuckDBPyConnection, edges: str, into: str) -> None:
    """Label the connected components of an edge table.

    Args:
        edges: table with record_l and record_r.
        into: table to make: record_no, cluster_no (its smallest record number). Records without an edge are left out.
    """
    import pyarrow as pa
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as components

    pairs = session.execute(f"select record_l, record_r from {edges}").fetchnumpy()
    if len(pairs["record_l"]) == 0:
        session.execute(f"create or replace table {into} (record_no int, cluster_no int)").fetchall()
        return
    nodes, ends = np.unique(np.concatenate([pairs["record_l"], pairs["record_r"]]), return_inverse=True)
    half = len(ends) // 2
    graph = coo_array((np.ones(half, dtype=np.int8), (ends[:half], ends[half:])), shape=(len(nodes), len(nodes)))
    count, labels = components(graph, directed=False)
    # Nodes are sorted, so the first node met with a label is the component's smallest.
    smallest = np.zeros(count, dtype=nodes.dtype)
    first_label, first_at = np.unique(labels, return_index=True)
    smallest[first_label] = nodes[first_at]
    session.register("component_labels", pa.table({"record_no": nodes, "cluster_no": smallest[labels]}))
    session.execute(f"create or replace table {into} as select record_no::int as record_no, cluster_no::int as cluster_no from component_labels").fetchall()
    session.unregister("component_labels")


def clusters(session: duckdb.DuckDBPyConnection, edges: str, conflicts: str, into: str) -> int:
    """Cluster records by their edges so that no two records in conflict share a cluster.

    Args:
        edges: table with record_l, record_r and match_weight; every edge in it may join.
        conflicts: table with record_l and record_r, at least all conflicts inside a connected component, either way round.
        into: table to make: record_no, cluster_no. Records without an edge are left out.

    Returns:
        Number of edges cut: those whose two records ended in different clusters.
    """
    connected_components(session, edges, into)
    session.execute(
        f"""
        create or replace temp table contested as
        select distinct a.cluster_no
        from {conflicts} as c inner join {into} as a on a.record_no = c.record_l inner join {into} as b on b.record_no = c.record_r
        where a.cluster_no = b.cluster_no
        """
    ).fetchall()
    _build_up_contested(session, edges, conflicts, into)
    (cut,) = one_row(
        session,
        f"""
        select count(*) from {edges} as e
        inner join {into} as a on a.record_no = e.record_l inner join {into} as b on b.record_no = e.record_r
        where a.cluster_no <> b.cluster_no
        """,
    )
    return int(cut)


def _build_up_contested(session: duckdb.DuckDBPyConnection, edges: str, conflicts: str, into: str) -> None:
    session.execute(
        f"""
        create or replace temp table part as
        select m.record_no, m.record_no as part_no from {into} as m semi join contested using (cluster_no)
        """
    ).fetchall()
    session.execute(
        f"""
        create or replace temp table inner_edge as
        select record_l, record_r, match_weight from {edges} where record_l in (select record_no from part)
        """
    ).fetchall()
    while _join_mutual_best(session, conflicts):
        pass
    session.execute(
        f"""
        update {into} set cluster_no = p.smallest
        from (select record_no, min(record_no) over (partition by part_no) as smallest from part) as p
        where p.record_no = {into}.record_no
        """
    ).fetchall()


# One round: between every two parts keep the heaviest edge, drop forbidden ones, and find each part's best neighbour.
# Equal weights are decided by the record numbers, so the order of edges is total and the result always the same.
MUTUAL_BEST = """
create or replace temp table joined as
with between_parts as (
    select least(a.part_no, b.part_no) as part_l, greatest(a.part_no, b.part_no) as part_r, e.match_weight, e.record_l, e.record_r
    from inner_edge as e inner join part as a on a.record_no = e.record_l inner join part as b on b.record_no = e.record_r
    where a.part_no <> b.part_no
),
forbidden as (
    select distinct least(a.part_no, b.part_no) as part_l, greatest(a.part_no, b.part_no) as part_r
    from {conflicts} as c inner join part as a on a.record_no = c.record_l inner join part as b on b.record_no = c.record_r
),
permitted as (
    select *, row_number() over (order by match_weight desc, least(record_l, record_r), greatest(record_l, record_r)) as place
    from between_parts anti join forbidden using (part_l, part_r)
),
best as (
    select part_no, min(place) as place
    from (select part_l as part_no, place from permitted union all select part_r, place from permitted)
    group by part_no
)
select p.part_l, p.part_r
from permitted as p
inner join best as l on l.part_no = p.part_l and l.place = p.place
inner join best as r on r.part_no = p.part_r and r.place = p.place
"""


def _join_mutual_best(session: duckdb.DuckDBPyConnection, conflicts: str) -> bool:
    """Join every two parts that are each other's best permitted neighbour; whether there were any."""
    session.execute(MUTUAL_BEST.format(conflicts=conflicts)).fetchall()
    session.execute("update part set part_no = joined.part_l from joined where part.part_no = joined.part_r").fetchall()
    return one_row(session, "select exists (select 1 from joined)") == (True,)
