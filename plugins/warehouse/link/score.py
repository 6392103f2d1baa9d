"""First step of the stage: from the vault to scored edges.

What it leaves behind, in Parquet, holds record keys, weights and record numbers, and no identifier:

| file | grain | columns |
|---|---|---|
| `record` | agency record | record_no, record_key, feed, is_named |
| `edge` | scored pair above the inclusive threshold | record_l, record_r, model, match_weight, match_probability, match_key, level |
| `conflict` | pair that may not share a cluster | record_l, record_r |
| `metric` | measure | metric, feed_a, feed_b, value |

`level` is the strictest certainty at which an edge may join records: 1 strict, 2 balanced, 3 inclusive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link import minimal, named, regroup
from warehouse.link.form import CLEAR, Form
from warehouse.link.models import Certainty, Policy
from warehouse.link.quality import measure_quality
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# The certainties by the level of an edge: an edge of a level joins records at that certainty and at every laxer one.
LEVELS: dict[Certainty, int] = {"strict": 1, "balanced": 2, "inclusive": 3}
OUTPUTS = {
    "record": "select record_no, record_key, feed, is_named from record",
    "edge": "select record_l, record_r, model, match_weight, match_probability, match_key, level from edge",
    "conflict": "select record_l, record_r from conflict",
    "metric": "select metric, feed_a, feed_b, value from metric",
}

EDGES = """
create or replace table edge as
select record_l, record_r, model, match_weight, match_probability, match_key, {named_level} as level
from named_edge where not is_guarded
union all
select record_l, record_r, '{minimal}', match_weight, match_probability, match_key, {strict} from client_edge
union all
select record_l, record_r, '{minimal}', match_weight, match_probability, match_key, {person_level} from person_edge
"""

COMPLETENESS = """
insert into metric
select 'completeness_' || identifier, feed, '', share
from (
    unpivot (
        select
            feed,
            avg(has_surname::int)    as surname,
            avg(has_dob::int)        as dob,
            count(sex) / count(*)    as sex,
            avg(has_place::int)      as place,
            count(nino) / count(*)   as nino,
            count(pnc_id) / count(*) as pnc_id
        from record
        group by feed
    ) on columns(* exclude (feed)) into name identifier value share
)
"""


def level_of(score: str, thresholds: dict[Certainty, float]) -> str:
    """SQL for the strictest certainty whose threshold a score reaches, as its level; every score kept reaches the inclusive one."""
    strict, balanced, inclusive = LEVELS.values()
    return f"case when {score} >= {thresholds['strict']} then {strict} when {score} >= {thresholds['balanced']} then {balanced} else {inclusive} end"


def score_evidence(session: duckdb.DuckDBPyConnection, policy: Policy, form: Form = CLEAR) -> dict[str, int]:
    """Score all evidence in the session (see `evidence` and `incremental`) and make the tables of OUTPUTS.

    Pairs in which nothing has changed since the night before keep what they scored then.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained, cannot be asked of identifiers in their form, or too many records hang together.
    """
    certainty = policy.certainty
    counts_named = named.score(session, policy, form=form)
    session.execute(named.LINKS.format(threshold=policy.named.match_weight[certainty])).fetchall()
    cut = regroup.cluster_named(session, policy.largest_component, form)
    counts_minimal = minimal.score(session, policy, form)

    session.execute(
        EDGES.format(
            minimal=policy.minimal.model,
            named_level=level_of("match_weight", policy.named.match_weight),
            person_level=level_of("match_probability", policy.minimal.posterior),
            strict=LEVELS["strict"],
        )
    ).fetchall()
    regroup.find_all_conflicts(session, policy.largest_component, form)

    session.execute("create or replace table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()
    measured = {f"named_{name}": value for name, value in counts_named.items()} | {f"minimal_{name}": value for name, value in counts_minimal.items()}
    measured["named_edges_cut_by_conflict"] = cut
    session.executemany("insert into metric values (?, '', '', ?)", [[name, value] for name, value in measured.items()])
    session.execute(COMPLETENESS).fetchall()
    measure_quality(session, LEVELS[certainty])
    records, changed = one_row(session, "select count(*), count(*) filter (is_changed) from record")
    (edges,) = one_row(session, "select count(*) from edge")
    pairs = int(counts_named["candidate_pairs"] + counts_minimal["candidate_pairs"])
    return {"records": records, "changed_records": changed, "candidate_pairs": pairs, "edges": edges}
