"""Score a warehouse whose feeds deliver tokens: the steps, models and policy of `link.score`, asked of tokens.

A night on tokens is always a full one: what the night before knew is not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link import evidence
from warehouse.link.form import Form
from warehouse.link.models import Policy
from warehouse.link.score import score_evidence
from warehouse.link.tokens.files import TOKENS_SQL
from warehouse.link.tokens.levels import guard_on_tokens, model_on_tokens, rules_on_tokens
from warehouse.link.workspace import run_script

if TYPE_CHECKING:
    import duckdb

TOKENS = Form(rules=rules_on_tokens, model=model_on_tokens, guard=guard_on_tokens, scripts=TOKENS_SQL)


def build(session: duckdb.DuckDBPyConnection) -> None:
    """Lay out `raw_token` for the models (see `sql/evidence.sql`)."""
    evidence.lay_out(session, TOKENS_SQL)
    run_script(session, "first_night.sql")


def score_tokens(session: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, int]:
    """Score all tokens in the session and make the tables of `link.score.OUTPUTS`.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained, asks what tokens cannot answer, or too many records hang together.
    """
    return score_evidence(session, policy, TOKENS)
