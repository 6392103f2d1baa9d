"""Link records that carry names, within and across feeds, by the named model.

A record may have several rows (its names), so a pair of records is scored by its best pair of rows. The twin guard then
drops row pairs whose forenames have nothing in common: brothers and sisters born on one day share surname, address and
date of birth, and that outvotes the name. It judges pairs of rows, so where an alias list says otherwise the edge stays.

Scoring goes in passes (see `models.named_passes`): pairs inside a feed by the feed's own model where it has one, all other
pairs by the model among feeds. Every pair of rows is in one pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warehouse.link.blocking import NAMED_RULES
from warehouse.link.models import Pass, Policy, load_model, named_passes
from warehouse.link.population import members
from warehouse.link.splinking import rounds, scorer
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# An edge is guarded when no pair of rows survives although the best one had the weight to link.
EDGES = """
create or replace table named_edge as
with judged as (
    select
        l.record_no as record_a, r.record_no as record_b, p.model, p.match_weight, p.match_probability, p.match_key,
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
        least(record_a, record_b) as record_l, greatest(record_a, record_b) as record_r, model, not bool_or(passes) as is_guarded,
        max(struct_pack(passes, match_weight, match_probability, key := -match_key)) as row_pair
    from judged
    group by all
)
select record_l, record_r, model, row_pair.match_weight, row_pair.match_probability, -row_pair.key as match_key, is_guarded from best
union all
select record_l, record_r, model, match_weight, match_probability, match_key, is_guarded from earlier_named_edge
"""

LINKS = """
create or replace temp view named_link as
select record_l, record_r, match_weight from named_edge where not is_guarded and match_weight >= {threshold}
"""


def score(session: duckdb.DuckDBPyConnection, policy: Policy, model: dict[str, Any] | None = None) -> dict[str, float]:
    """Score named records against each other: pairs with a changed record anew, others as `earlier_named_edge` has them.

    Makes `named_edge`: record_l, record_r (record numbers), model, match_weight, match_probability, match_key, is_guarded; one
    row per pair at or above the inclusive threshold.

    Args:
        model: Splink settings to score all pairs by, instead of the policy's models.

    Returns:
        Counts for the metrics: candidate pairs, edges, guarded edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained.
    """
    session.execute(
        "create or replace table named_pair (row_id_l int, row_id_r int, match_weight double, match_probability double, match_key int, model varchar)"
    ).fetchall()
    feeds = [feed for (feed,) in session.execute("select distinct feed from name_row order by feed").fetchall()]
    everything = Pass(policy.named.model, None, "true", policy.named.matches_per_record)
    pairs = sum(_run(session, policy, one, model or load_model(one.model)) for one in ([everything] if model else named_passes(policy.named, feeds)))
    session.execute(EDGES.format(similarity=policy.named.guard_similarity)).fetchall()
    edges, guarded = one_row(session, "select count(*), count(*) filter (is_guarded) from named_edge")
    return {"candidate_pairs": pairs, "edges": edges, "guarded_edges": guarded}


def _run(session: duckdb.DuckDBPyConnection, policy: Policy, one: Pass, model: dict[str, Any]) -> int:
    """Add what one pass scores to `named_pair`. Returns its candidate pairs."""
    scoring = f"named_{one.feed}" if one.feed else "named"
    rows = f"{scoring}_row" if one.feed else "name_row"
    if one.feed:
        session.execute(f"create or replace temp view {rows} as select * from name_row where feed = '{one.feed}'").fetchall()
    (records,) = one_row(session, f"select count(distinct record_no) from {rows}")
    compared = rounds(session, rows)
    if records < 2 or not compared:
        return 0
    prior = min(one.matches_per_record / members(session, scoring, records), 0.5)
    # A pass of one feed sees rows of that feed alone, so only the others must be told which pairs are theirs.
    rules = [rule if one.feed or one.pairs == "true" else f"{rule} and {one.pairs}" for rule in NAMED_RULES]
    scorer_of_pass = scorer(session, scoring, model, rules, compared, [rows], prior)
    pairs = scorer_of_pass.check_budget(policy.pair_budget_per_record, policy.pair_budget_floor)
    scorer_of_pass.predict(policy.named.match_weight["inclusive"], "pass_pair")
    session.execute(f"insert into named_pair select *, '{one.model}' from pass_pair").fetchall()
    return pairs
