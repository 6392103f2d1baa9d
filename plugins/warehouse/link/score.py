"""First step of the stage: from the vault to scored edges.

What it leaves behind, in Parquet, holds record keys, weights and record numbers, and no identifier:

| file | grain | columns |
|---|---|---|
| `record` | agency record | record_no, record_key, feed, is_named |
| `edge` | scored pair above the inclusive threshold | record_l, record_r, model, match_weight, match_probability, match_key, level, links |
| `conflict` | pair that may not share a cluster | record_l, record_r |
| `metric` | measure | metric, feed_a, feed_b, value |

`level` is the strictest certainty at which an edge may join records: 1 strict, 2 balanced, 3 inclusive. `links` tells those that
may at the policy's certainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link import minimal, named
from warehouse.link.cluster import clusters, connected_components
from warehouse.link.conflicts import find_conflicts
from warehouse.link.models import Certainty, Policy
from warehouse.link.quality import measure_quality
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# The certainties by the level of an edge: an edge of a level joins records at that certainty and at every laxer one.
LEVELS: dict[Certainty, int] = {"strict": 1, "balanced": 2, "inclusive": 3}
OUTPUTS = {
    "record": "select record_no, record_key, feed, is_named from record",
    "edge": "select record_l, record_r, model, match_weight, match_probability, match_key, level, links from edge",
    "conflict": "select record_l, record_r from conflict",
    "metric": "select metric, feed_a, feed_b, value from metric",
}

EDGES = """
create or replace table edge as
with scored as (
    select record_l, record_r, model, match_weight, match_probability, match_key, {named_level} as level
    from named_edge where not is_guarded
    union all
    select record_l, record_r, '{minimal}', match_weight, match_probability, match_key, {strict} from client_edge
    union all
    select record_l, record_r, '{minimal}', match_weight, match_probability, match_key, {person_level} from person_edge
)
select *, level <= {links_to} as links from scored
"""

COMPLETENESS = """
insert into metric
select 'completeness_' || identifier, feed, '', share
from (
    unpivot (
        select
            r.feed,
            count(n.surname) / count(*)  as surname,
            count(d.dob) / count(*)      as dob,
            count(r.sex) / count(*)      as sex,
            count(p.sectors) / count(*)  as place,
            count(r.nino) / count(*)     as nino,
            count(r.pnc_id) / count(*)   as pnc_id
        from record as r
        left join (select record_no, min(surname) as surname from name_row group by all) as n using (record_no)
        left join (select record_no, min(dob) as dob from record_dob group by all) as d using (record_no)
        left join record_places as p using (record_no)
        group by r.feed
    ) on columns(* exclude (feed)) into name identifier value share
)
"""


def level_of(score: str, thresholds: dict[Certainty, float]) -> str:
    """SQL for the strictest certainty whose threshold a score reaches, as its level; every score kept reaches the inclusive one."""
    strict, balanced, inclusive = LEVELS.values()
    return f"case when {score} >= {thresholds['strict']} then {strict} when {score} >= {thresholds['balanced']} then {balanced} else {inclusive} end"


# Components in which a conflict could be new: they hold a record that has changed, or an edge that the night before did not have.
# (Among records with names a new edge always has a changed end.)
IN_DOUBT = """
create or replace temp table edge_in_doubt as
with new_end as (
    select unnest([record_l, record_r]) as record_no
    from (
        (select record_l, record_r from client_edge union all select record_l, record_r from person_edge)
        except select record_l, record_r from earlier_unit_edge
    )
),
in_doubt as (
    select distinct cluster_no from component
    where record_no in (select record_no from record where is_changed) or record_no in (select record_no from new_end)
)
select e.record_l, e.record_r
from {edges} as e inner join component as c on c.record_no = e.record_l
where c.cluster_no in (select cluster_no from in_doubt)
"""


def _find_conflicts(session: duckdb.DuckDBPyConnection, edges: str, policy: Policy) -> None:
    """Make `conflict`: looked for where something has changed, and elsewhere as the night before knew it."""
    (changed, records) = one_row(session, "select count(*) filter (is_changed), count(*) from record")
    if changed == records:
        find_conflicts(session, edges, policy.largest_component)
        return
    connected_components(session, edges, "component")
    session.execute(IN_DOUBT.format(edges=edges)).fetchall()
    find_conflicts(session, "edge_in_doubt", policy.largest_component)
    session.execute("create or replace table conflict as select * from conflict union select * from earlier_conflict").fetchall()


def score_evidence(session: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, int]:
    """Score all evidence in the session (see `evidence` and `incremental`) and make the tables of OUTPUTS.

    Pairs in which nothing has changed since the night before keep what they scored then.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained, or too many records hang together.
    """
    certainty = policy.certainty
    session.execute(minimal.NO_EDGES).fetchall()
    counts_named = named.score(session, policy)
    session.execute(named.LINKS.format(threshold=policy.named.match_weight[certainty])).fetchall()
    _find_conflicts(session, "named_link", policy)
    cut = clusters(session, "named_link", "conflict", "named_cluster")
    counts_minimal = minimal.score(session, policy)

    session.execute(
        EDGES.format(
            minimal=policy.minimal.model,
            named_level=level_of("match_weight", policy.named.match_weight),
            person_level=level_of("match_probability", policy.minimal.posterior),
            strict=LEVELS["strict"],
            links_to=LEVELS[certainty],
        )
    ).fetchall()
    _find_conflicts(session, "edge", policy)

    session.execute("create or replace table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()
    measured = {f"named_{name}": value for name, value in counts_named.items()} | {f"minimal_{name}": value for name, value in counts_minimal.items()}
    session.executemany("insert into metric values (?, '', '', ?)", [[name, value] for name, value in measured.items()])
    session.execute("insert into metric values ('named_edges_cut_by_conflict', '', '', ?)", [cut]).fetchall()
    session.execute(COMPLETENESS).fetchall()
    measure_quality(session)
    records, changed = one_row(session, "select count(*), count(*) filter (is_changed) from record")
    (edges,) = one_row(session, "select count(*) from edge")
    pairs = int(counts_named["candidate_pairs"] + counts_minimal["candidate_pairs"])
    return {"records": records, "changed_records": changed, "candidate_pairs": pairs, "edges": edges}
