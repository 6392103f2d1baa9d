"""From scored edges to clusters, with records that contradict each other kept apart.

Works on integer record numbers in DuckDB tables; nothing here sees an identifier. Where no conflict lies inside a connected
component, the component is the cluster. The others are built up part by part by always joining the two parts with
the heaviest permitted edge. Joining every pair of parts that are each other's best at the same time
gives the same result as taking edges one by one in order of weight: a join never makes a forbidden edge permitted
again, so an edge that is best at both ends stays so until it is taken.

Clusters of several certainties are nested: the edges of the strictest come first, and each further certainty goes on from the
clusters of the one before. Edges are so taken in order of level, then weight, then record numbers; the order is total, so the
same edges always give the same clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from warehouse.link.models import Certainty
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb


def connected_components(session: duckdb.DuckDBPyConnection, edges: str, into: str) -> None:
    """Label the connected components of an edge table.

    Args:
        edges: table with record_l and record_r.
        into: table to make: record_no, cluster_no (its smallest record number). Records without an edge are left out.
    """
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
    # Nodes are sorted, so the one written last, going backwards, is the component's smallest.
    smallest = np.zeros(count, dtype=nodes.dtype)
    smallest[labels[::-1]] = nodes[::-1]
    session.register("component_labels", {"record_no": nodes, "cluster_no": smallest[labels]})
    session.execute(f"create or replace table {into} as select record_no::int as record_no, cluster_no::int as cluster_no from component_labels").fetchall()
    session.unregister("component_labels")


def clusters(session: duckdb.DuckDBPyConnection, edges: str, conflicts: str, into: str) -> None:
    """Cluster records by their edges so that no two records in conflict share a cluster.

    Args:
        edges: table with record_l, record_r and match_weight; every edge in it may join.
        conflicts: table with record_l and record_r, at least all conflicts inside a connected component, either way round.
        into: table to make: record_no, cluster_no (its smallest record number). Records without an edge are left out.
    """
    _join(session, edges, conflicts, None, into)


def count_cut(session: duckdb.DuckDBPyConnection, edges: str, clusters_made: str) -> int:
    """How many edges lie between different clusters of a table (record_no, cluster_no), where a record that is not in it is by itself."""
    (cut,) = one_row(
        session,
        f"""
        select count(*) from {edges} as e
        left join {clusters_made} as a on a.record_no = e.record_l left join {clusters_made} as b on b.record_no = e.record_r
        where coalesce(a.cluster_no, e.record_l) <> coalesce(b.cluster_no, e.record_r)
        """,
    )
    return int(cut)


def nested_clusters(session: duckdb.DuckDBPyConnection, edges: str, conflicts: str, into: str, levels: Mapping[Certainty, int]) -> None:
    """Cluster records at several certainties, each one's clusters lying whole inside those of the next laxer one.

    Args:
        edges: table with record_l, record_r, match_weight and level, the strictest certainty at which the edge may join.
        conflicts: table with record_l and record_r, at least all conflicts inside a connected component, either way round.
        into: table to make: record_no and, named after each certainty, its cluster (the smallest record number in it).
            Records without an edge are left out.
        levels: each certainty's level; the smaller, the stricter.
    """
    before = None
    for certainty, level in sorted(levels.items(), key=lambda item: item[1]):
        _join(session, f"(select record_l, record_r, match_weight from {edges} where level = {level})", conflicts, before, f"joined_{certainty}")
        before = f"joined_{certainty}"
    by_certainty = ", ".join(f"coalesce({certainty}.cluster_no, everybody.record_no) as {certainty}" for certainty in levels)
    joins = " ".join(f"left join joined_{certainty} as {certainty} using (record_no)" for certainty in levels)
    session.execute(f"create or replace table {into} as select everybody.record_no, {by_certainty} from {before} as everybody {joins}").fetchall()


# Edges between parts, with the two records that decide between equal weights. A record that is in no part yet is one by itself.
PART_EDGES = """
create or replace temp table part_edge as
select
    coalesce(a.cluster_no, e.record_l) as record_l, coalesce(b.cluster_no, e.record_r) as record_r, e.match_weight,
    least(e.record_l, e.record_r) as first_record, greatest(e.record_l, e.record_r) as second_record
from {edges} as e left join {before} as a on a.record_no = e.record_l left join {before} as b on b.record_no = e.record_r
where coalesce(a.cluster_no, e.record_l) <> coalesce(b.cluster_no, e.record_r)
"""

# Parts in conflict that the edges connect.
PART_CONFLICTS = """
create or replace temp table part_conflict as
with between_parts as (
    select coalesce(a.cluster_no, c.record_l) as part_l, coalesce(b.cluster_no, c.record_r) as part_r
    from {conflicts} as c left join {before} as a on a.record_no = c.record_l left join {before} as b on b.record_no = c.record_r
)
select distinct c.part_l, c.part_r, l.cluster_no as component_no
from between_parts as c
inner join part_component as l on l.record_no = c.part_l
inner join part_component as r on r.record_no = c.part_r and r.cluster_no = l.cluster_no
"""

CONTESTED_PARTS = """
create or replace temp table part as
select record_no as start_no, record_no as part_no
from part_component where cluster_no in (select component_no from part_conflict)
"""

CONTESTED_EDGES = "create or replace temp table contested_edge as select * from part_edge where record_l in (select start_no from part)"

# A part takes the number of the smaller of the two it is joined from, so a cluster's number stays its smallest record number.
JOINED = """
create or replace table {into} as
with part_now as (
    select c.record_no as part_before, coalesce(p.part_no, c.cluster_no) as part_no
    from part_component as c left join part as p on p.start_no = c.record_no
)
select m.record_no, coalesce(p.part_no, m.cluster_no) as cluster_no from {before} as m left join part_now as p on p.part_before = m.cluster_no
union all
select part_before, part_no from part_now where part_before not in (select record_no from {before})
"""


def _join(session: duckdb.DuckDBPyConnection, edges: str, conflicts: str, before: str | None, into: str) -> None:
    """Join the clusters of table `before` (record_no, cluster_no) by further edges, except where a conflict forbids it, and make `into` of them.

    Args:
        before: none when every record is still by itself.
    """
    if before is None:
        before = "nothing_joined"
        session.execute(f"create or replace temp table {before} (record_no int, cluster_no int)").fetchall()
    session.execute(PART_EDGES.format(edges=edges, before=before)).fetchall()
    connected_components(session, "part_edge", "part_component")
    session.execute(PART_CONFLICTS.format(conflicts=conflicts, before=before)).fetchall()
    session.execute(CONTESTED_PARTS).fetchall()
    session.execute(CONTESTED_EDGES).fetchall()
    while _join_mutual_best(session):
        pass
    session.execute(JOINED.format(before=before, into=into)).fetchall()


# One round: find each part's best permitted neighbour, and take the edges that are best at both ends. Equal weights are
# decided by the record numbers.
MUTUAL_BEST = """
create or replace temp table joined as
with between_parts as (
    select least(a.part_no, b.part_no) as part_l, greatest(a.part_no, b.part_no) as part_r, e.match_weight, e.first_record, e.second_record
    from contested_edge as e inner join part as a on a.start_no = e.record_l inner join part as b on b.start_no = e.record_r
    where a.part_no <> b.part_no
),
forbidden as (
    select distinct least(a.part_no, b.part_no) as part_l, greatest(a.part_no, b.part_no) as part_r
    from part_conflict as c inner join part as a on a.start_no = c.part_l inner join part as b on b.start_no = c.part_r
),
permitted as (
    select *, row_number() over (order by match_weight desc, first_record, second_record) as place
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


def _join_mutual_best(session: duckdb.DuckDBPyConnection) -> bool:
    """Join every two parts that are each other's best permitted neighbour; whether there were any."""
    session.execute(MUTUAL_BEST).fetchall()
    session.execute("update part set part_no = joined.part_l from joined where part.part_no = joined.part_r").fetchall()
    return one_row(session, "select exists (select 1 from joined)") == (True,)
