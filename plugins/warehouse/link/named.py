"""Link records that carry names, within and across feeds, by the named model.

A record may have several rows (its names), so a pair of records is scored by its best pair of rows. The twin guard then
drops row pairs whose forenames have nothing in common: brothers and sisters born on one day share surname, address and
date of birth, and that outvotes the name. It judges pairs of rows, so where an alias list says otherwise the edge stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse.link.blocking import NAMED_RULES
from warehouse.link.models import Policy
from warehouse.link.splinking import scorer
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# An edge is guarded when no pair of rows survives although the best one had the weight to link.
EDGES = """
create or replace table named_edge as
with judged as (
    select
        l.record_no as record_a, r.record_no as record_b, p.match_weight, p.match_probability, p.match_key,
        coalesce(
            l.nino = r.nino
            or l.pnc_id = r.pnc_id
            or l.forename_group = r.forename_group
            or jaro_winkler_similarity(l.forename, r.forename) >= {similarity}
            or l.forename = r.middle_name
            or l.middle_name = r.forename
            or l.forename = r.surname and l.surname = r.forename
            or (length(l.forename) = 1 or length(r.forename) = 1) and left(l.forename, 1) = left(r.forename, 1),
            l.forename is null or r.forename is null
        ) as passes
    from named_pair as p
    inner join name_row as l on l.row_id = p.row_id_l
    inner join name_row as r on r.row_id = p.row_id_r
),
best as (
    select
        least(record_a, record_b) as record_l, greatest(record_a, record_b) as record_r, not bool_or(passes) as is_guarded,
        max(struct_pack(passes, match_weight, match_probability, key := -match_key::int)) as row_pair
    from judged
    group by all
)
select record_l, record_r, row_pair.match_weight, row_pair.match_probability, -row_pair.key as match_key, is_guarded from best
"""

LINKS = """
create or replace temp view named_link as
select record_l, record_r, match_weight from named_edge where not is_guarded and match_weight >= {threshold}
"""


def score(session: duckdb.DuckDBPyConnection, policy: Policy, model: dict[str, Any]) -> dict[str, float]:
    """Score named records against each other by a model (Splink settings).

    Makes `named_edge`: record_l, record_r (record numbers), match_weight, match_probability, match_key, is_guarded; one row
    per pair at or above the inclusive threshold.

    Returns:
        Counts for the metrics: candidate pairs, edges, guarded edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
    """
    (records,) = one_row(session, "select count(distinct record_no) from name_row")
    if records < 2:
        session.execute(EMPTY_EDGES).fetchall()
        return {"candidate_pairs": 0, "edges": 0, "guarded_edges": 0}
    prior = min(policy.named.matches_per_record / records, 0.5)
    scoring = scorer(session, model, {"name_row": "name_row"}, NAMED_RULES, "dedupe_only", prior)
    pairs = scoring.check_budget(policy.pair_budget_per_record, policy.pair_budget_floor)
    scoring.predict(policy.named.match_weight["inclusive"], "named_pair")
    session.execute(EDGES.format(similarity=policy.named.guard_similarity)).fetchall()
    edges, guarded = one_row(session, "select count(*), count(*) filter (is_guarded) from named_edge")
    return {"candidate_pairs": pairs, "edges": edges, "guarded_edges": guarded}


EMPTY_EDGES = """
create or replace table named_edge (
    record_l int, record_r int, match_weight double, match_probability double, match_key int, is_guarded boolean
)"""
