"""Score a warehouse whose feeds deliver tokens: the steps, models and policy of `link.score`, asked of tokens.

A night on tokens is always a full one: what the night before knew is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from warehouse.link import minimal, named
from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES
from warehouse.link.cluster import clusters
from warehouse.link.conflicts import find_conflicts
from warehouse.link.models import Pass, Policy, load_model, named_passes
from warehouse.link.quality import measure_quality
from warehouse.link.score import COMPLETENESS, EDGES, LEVELS, level_of
from warehouse.link.splinking import PAIRS, rounds, scorer
from warehouse.link.tokens.files import run_token_script
from warehouse.link.tokens.levels import guard_on_tokens, model_on_tokens, rules_on_tokens
from warehouse.link.workspace import one_row, run_script

if TYPE_CHECKING:
    import duckdb


EDGE_COUNTS = """
insert into metric
select 'named_edges', '', '', count(*) from named_edge
union all select 'named_guarded_edges', '', '', count(*) from named_edge where is_guarded
union all select 'minimal_edges', '', '', (select count(*) from client_edge) + (select count(*) from person_edge)
"""


def build(session: duckdb.DuckDBPyConnection) -> None:
    """Lay out `raw_token` for the models (see `sql/evidence.sql`)."""
    run_token_script(session, "evidence.sql")
    run_script(session, "first_night.sql")


def score_tokens(session: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, int]:
    """Score all tokens in the session and make the tables of `link.score.OUTPUTS`.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained, asks what tokens cannot answer, or too many records hang together.
    """
    named_pairs = _score_named(session, policy)
    session.execute(named.LINKS.format(threshold=policy.named.match_weight[policy.certainty])).fetchall()
    _find_conflicts(session, "named_link", policy.largest_component)
    cut = clusters(session, "named_link", "conflict", "named_cluster")
    minimal_pairs = _score_minimal(session, policy)
    session.execute(
        EDGES.format(
            minimal=policy.minimal.model,
            named_level=level_of("match_weight", policy.named.match_weight),
            person_level=level_of("match_probability", policy.minimal.posterior),
            strict=LEVELS["strict"],
            links_to=LEVELS[policy.certainty],
        )
    ).fetchall()
    _find_conflicts(session, "edge", policy.largest_component)
    _measure(session, {"named_candidate_pairs": named_pairs, "named_edges_cut_by_conflict": cut, "minimal_candidate_pairs": minimal_pairs})
    records, edges = one_row(session, "select (select count(*) from record), (select count(*) from edge)")
    return {"records": records, "changed_records": records, "candidate_pairs": named_pairs + minimal_pairs, "edges": edges}


def _measure(session: duckdb.DuckDBPyConnection, counted: dict[str, int]) -> None:
    """Make table `metric`: the measures that a night on clear identifiers has (see `link.metrics`)."""
    session.execute("create or replace table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()
    session.executemany("insert into metric values (?, '', '', ?)", [[name, value] for name, value in counted.items()])
    session.execute(EDGE_COUNTS).fetchall()
    # Only now: while conflicts were looked for, these dates were not to be read as clear ones.
    session.execute("insert into record_dob select distinct record_no, dob from record_person").fetchall()
    session.execute(COMPLETENESS).fetchall()
    measure_quality(session)


def _find_conflicts(session: duckdb.DuckDBPyConnection, edges: str, largest_component: int) -> None:
    find_conflicts(session, edges, largest_component)
    run_token_script(session, "conflicts.sql")


def _score_named(session: duckdb.DuckDBPyConnection, policy: Policy) -> int:
    """Make `named_edge`. Returns the candidate pairs."""
    session.execute(
        "create or replace table named_pair (row_id_l int, row_id_r int, match_weight double, match_probability double, match_key int, model varchar)"
    ).fetchall()
    feeds = [feed for (feed,) in session.execute("select distinct feed from name_row order by feed").fetchall()]
    pairs = sum(_run_pass(session, policy, one) for one in named_passes(policy.named, feeds))
    session.execute(guard_on_tokens(named.EDGES.format(similarity=policy.named.guard_similarity))).fetchall()
    return pairs


def _run_pass(session: duckdb.DuckDBPyConnection, policy: Policy, one: Pass) -> int:
    rows = f"named_{one.feed}_row" if one.feed else "name_row"
    if one.feed:
        session.execute(f"create or replace temp view {rows} as select * from name_row where feed = '{one.feed}'").fetchall()
    (records,) = one_row(session, f"select count(distinct record_no) from {rows}")
    prior = min(one.matches_per_record / max(records, 1), 0.5)
    rules = [f"{rule} and {one.pairs}" for rule in rules_on_tokens(NAMED_RULES)]
    pairs = _score(session, f"named_{one.feed or 'all'}", one.model, policy, rules, (rows,), prior, policy.named.match_weight["inclusive"], "pass_pair")
    session.execute(f"insert into named_pair select *, '{one.model}' from pass_pair").fetchall()
    return pairs


def _score_minimal(session: duckdb.DuckDBPyConnection, policy: Policy) -> int:
    """Make `client_edge` and `person_edge`, given `named_cluster`. Returns the candidate pairs."""
    rules = policy.minimal
    session.execute(minimal.SINGLE_CLIENTS).fetchall()
    run_token_script(session, "minimal.sql")
    (clients,) = one_row(session, "select count(distinct unit_no) from client_row")
    own = [f"{rule} and {minimal.OTHER_UNIT}" for rule in rules_on_tokens(MINIMAL_RULES)]
    prior = min(rules.share_repeated / max(clients, 1), 0.5)
    pairs = _score(session, "client", rules.model, policy, own, ("client_row",), prior, rules.client_weight, "client_pair")
    session.execute(minimal.POOLED_WEIGHT.format(into="client_weight", pairs="client_pair", left="client_row", right="client_row")).fetchall()
    session.execute(minimal.CLIENT_EDGES.format(threshold=rules.client_weight)).fetchall()
    _find_conflicts(session, "client_edge", policy.largest_component)
    clusters(session, "client_edge", "conflict", "client_cluster")

    session.execute(minimal.UNITS).fetchall()
    run_token_script(session, "minimal.sql")
    (persons,) = one_row(session, "select count(distinct unit_no) from person_row")
    prior = min(rules.share_known / max(persons, 1), 0.5)
    tables = ("client_row", "person_row")
    pairs += _score(session, "person", rules.model, policy, rules_on_tokens(MINIMAL_RULES), tables, prior, minimal.WEAKEST_CANDIDATE, "person_pair")
    session.execute(minimal.POOLED_WEIGHT.format(into="person_weight", pairs="person_pair", left="client_row", right="person_row")).fetchall()
    session.execute(minimal.PERSON_EDGES.format(none=1 - rules.share_known, inclusive=rules.posterior["inclusive"], margin=rules.leader_margin)).fetchall()
    return pairs


def _score(
    session: duckdb.DuckDBPyConnection,
    scoring: str,
    model: str,
    policy: Policy,
    rules: Sequence[str],
    tables: tuple[str, ...],
    prior: float,
    floor: float,
    into: str,
) -> int:
    """Make table `into` of scored pairs of rows, within one table or between two. Returns the candidate pairs."""
    session.execute(PAIRS.format(into=into)).fetchall()
    compared = rounds(session, *tables)
    if not compared:
        return 0
    settings: dict[str, Any] = model_on_tokens(load_model(model))
    scoring_of_rows = scorer(session, scoring, settings, rules, compared, list(tables), prior)
    pairs = scoring_of_rows.check_budget(policy.pair_budget_per_record, policy.pair_budget_floor)
    scoring_of_rows.predict(floor, into)
    return pairs
