"""First step of the stage: from the vault to scored edges.

What it leaves behind, in Parquet, holds record keys, weights and record numbers, and no identifier:

| file | grain | columns |
|---|---|---|
| `record` | agency record | record_no, record_key, feed, is_named |
| `edge` | scored pair above the inclusive threshold | record_l, record_r, model, match_weight, match_probability, match_key, links |
| `conflict` | pair that may not share a cluster | record_l, record_r |
| `metric` | measure | metric, feed_a, feed_b, value |

`links` tells the edges strong enough, at the policy's certainty, to join records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link import minimal, named
from warehouse.link.cluster import clusters
from warehouse.link.conflicts import find_conflicts
from warehouse.link.models import Policy, load_model
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

OUTPUTS = {
    "record": "select record_no, record_key, feed, is_named from record",
    "edge": "select record_l, record_r, model, match_weight, match_probability, match_key, links from edge",
    "conflict": "select record_l, record_r from conflict",
    "metric": "select metric, feed_a, feed_b, value from metric",
}

EDGES = """
create or replace table edge as
select record_l, record_r, '{named}' as model, match_weight, match_probability, match_key, match_weight >= {named_threshold} as links
from named_edge where not is_guarded
union all
select record_l, record_r, '{minimal}', match_weight, match_probability, match_key, true from client_edge
union all
select record_l, record_r, '{minimal}', match_weight, match_probability, match_key, match_probability >= {posterior} from person_edge
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
        left join (select record_no, min(surname) as surname from record_name group by all) as n using (record_no)
        left join (select record_no, min(dob) as dob from record_dob group by all) as d using (record_no)
        left join record_places as p using (record_no)
        group by r.feed
    ) on columns(* exclude (feed)) into name identifier value share
)
"""


def score_evidence(session: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, int]:
    """Score all evidence in the session (see `evidence`) and make the tables of OUTPUTS.

    Returns:
        Counts: records, candidate pairs, edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained, or too many records hang together.
    """
    certainty = policy.certainty
    counts_named = named.score(session, policy, load_model(policy.named.model))
    session.execute(named.LINKS.format(threshold=policy.named.match_weight[certainty])).fetchall()
    find_conflicts(session, "named_link", policy.largest_component)
    cut = clusters(session, "named_link", "conflict", "named_cluster")
    counts_minimal = minimal.score(session, policy)

    session.execute(
        EDGES.format(
            named=policy.named.model,
            minimal=policy.minimal.model,
            named_threshold=policy.named.match_weight[certainty],
            posterior=policy.minimal.posterior[certainty],
        )
    ).fetchall()
    session.execute("create or replace temp view link_edge as select record_l, record_r, match_weight from edge where links").fetchall()
    find_conflicts(session, "link_edge", policy.largest_component)

    session.execute("create or replace table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()
    measured = {f"named_{name}": value for name, value in counts_named.items()} | {f"minimal_{name}": value for name, value in counts_minimal.items()}
    session.executemany("insert into metric values (?, '', '', ?)", [[name, value] for name, value in measured.items()])
    session.execute("insert into metric values ('named_edges_cut_by_conflict', '', '', ?)", [cut]).fetchall()
    session.execute(COMPLETENESS).fetchall()
    records, edges = one_row(session, "select (select count(*) from record), (select count(*) from edge)")
    return {"records": records, "candidate_pairs": int(counts_named["candidate_pairs"] + counts_minimal["candidate_pairs"]), "edges": edges}
