"""Link records that carry names, within and across feeds, by the named model.

A record may have several rows (its names), so a pair of records is scored by its best pair of rows. The twin guard then
drops row pairs whose forenames have nothing in common: brothers and sisters born on one day share surname, address and
date of birth, and that outvotes the name. It judges pairs of rows, so where an alias list says otherwise the edge stays.

Scoring goes in passes (see `models.named_passes`): pairs inside a feed by the feed's own model where it has one, all other
pairs by the model among feeds. Every pair of rows is in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from warehouse.link.blocking import NAMED_RULES
from warehouse.link.candidates import near_rows
from warehouse.link.form import CLEAR, Form
from warehouse.link.models import Pass, Policy, load_model, named_passes
from warehouse.link.population import is_counted, members
from warehouse.link.splinking import PAIRS, Scorer, rounds, scorer
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# Whether a pair of rows l and r may be one person: names with nothing in common, unless something else says so.
GUARD = """
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
)"""
# An edge is guarded when no pair of rows survives although the best one had the weight to link.
EDGES = """
create or replace table named_edge as
with judged as (
    select
        l.record_no as record_a, r.record_no as record_b, p.model, p.match_weight, p.match_probability, p.match_key, {guard} as passes
    from named_pair as p
    inner join {rows} as l on l.row_id = p.row_id_l
    inner join {rows} as r on r.row_id = p.row_id_r
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


def score(session: duckdb.DuckDBPyConnection, policy: Policy, model: dict[str, Any] | None = None, form: Form = CLEAR) -> dict[str, float]:
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
    rules = form.rules(NAMED_RULES)
    rows = _rows_to_read(session, rules)
    everything = Pass(policy.named.model, None, "true", policy.named.matches_per_record)
    to_run = [everything] if model else passes(session, policy, rows)
    pairs = sum(_run(session, policy, one, form.model(model or load_model(one.model)), rules, rows) for one in to_run)
    scored = [f"select *, '{one.model}' as model from {_pairs_of(one)}" for one in to_run]
    session.execute(f"create or replace temp view named_pair as {' union all '.join(scored)}").fetchall()
    find_edges(session, policy, form, rows)
    edges, guarded = one_row(session, "select count(*), count(*) filter (is_guarded) from named_edge")
    return {"candidate_pairs": pairs, "edges": edges, "guarded_edges": guarded}


def find_edges(session: duckdb.DuckDBPyConnection, policy: Policy, form: Form = CLEAR, rows: str = "name_row") -> None:
    """Make `named_edge` of the scored pairs of rows (`named_pair`) and of the edges that stand.

    Args:
        rows: table that has the rows of the pairs.
    """
    guard = form.guard(GUARD.format(similarity=policy.named.guard_similarity))
    session.execute(EDGES.format(guard=guard, rows=rows)).fetchall()


def _rows_to_read(session: duckdb.DuckDBPyConnection, rules: Sequence[str]) -> str:
    """The table of rows that pairs with something new in them are among."""
    if one_row(session, "select exists (select 1 from name_row where not is_changed)") == (False,):
        return "name_row"
    near_rows(session, rules, "name_row", "name_row", "earlier.name_key", "near_name_row")
    return "near_name_row"


def passes(session: duckdb.DuckDBPyConnection, policy: Policy, rows: str = "name_row") -> list[Pass]:
    """The passes of a night over the rows of a table."""
    return named_passes(policy.named, [feed for (feed,) in session.execute(f"select distinct feed from {rows} order by feed").fetchall()])


def _run(session: duckdb.DuckDBPyConnection, policy: Policy, one: Pass, model: dict[str, Any], rules: Sequence[str], rows: str) -> int:
    """Make the table of the pairs that one pass scores (see `_pairs_of`). Returns its candidate pairs."""
    session.execute(PAIRS.format(into=_pairs_of(one))).fetchall()
    scorer_of_pass = scorer_of(session, policy, one, model, rules, rows)
    if scorer_of_pass is None:
        return 0
    pairs = scorer_of_pass.check_budget(policy.pair_budget_per_record, policy.pair_budget_floor)
    scorer_of_pass.predict(policy.named.match_weight["inclusive"], _pairs_of(one))
    return pairs


def _pairs_of(one: Pass) -> str:
    return f"{_scoring(one)}_pair_scored"


def _scoring(one: Pass) -> str:
    return f"named_{one.feed}" if one.feed else "named"


def scorer_of(
    session: duckdb.DuckDBPyConnection, policy: Policy, one: Pass, model: dict[str, Any], rules: Sequence[str] = NAMED_RULES, rows: str = "name_row"
) -> Scorer | None:
    """The scorer of a pass over the rows of a table; None when there is nothing to compare."""
    scoring = _scoring(one)
    if not is_counted(session, scoring):
        rows = "name_row"  # how common its terms are is yet to be counted
    if one.feed:
        session.execute(f"create or replace temp view {scoring}_row as select * from {rows} where feed = '{one.feed}'").fetchall()
        rows = f"{scoring}_row"
    (records,) = one_row(session, f"select count(distinct record_no) from {rows}")
    compared = rounds(session, rows)
    if records < 2 or not compared:
        return None
    prior = min(one.matches_per_record / members(session, scoring, records), 0.5)
    # A pass of one feed sees rows of that feed alone, so only the others must be told which pairs are theirs.
    own_rules = [rule if one.feed or one.pairs == "true" else f"{rule} and {one.pairs}" for rule in rules]
    return scorer(session, scoring, model, own_rules, compared, [rows], prior)
