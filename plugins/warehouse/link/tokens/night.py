"""A night of a warehouse whose feeds deliver tokens: from the vault to scored edges.

All feeds that are linked deliver either clear identifiers or tokens: a token tells nothing beside a clear name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.model import Contract
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import Policy
from warehouse.link.roles import link_tables
from warehouse.link.tokens.extract import from_vault, token_tables
from warehouse.link.tokens.score import build, score_tokens

if TYPE_CHECKING:
    import duckdb


def delivers_tokens(contracts: Iterable[Contract]) -> bool:
    """Whether the feeds that are linked deliver tokens instead of clear identifiers.

    Raises:
        LinkageFault: some deliver the one and some the other.
    """
    contracts = list(contracts)
    clear = sorted({table.feed for table in link_tables(contracts)})
    hashed = sorted({table.feed for table in token_tables(contracts)})
    if clear and hashed:
        raise LinkageFault(
            f"Feeds with clear identifiers ({', '.join(clear)}) and feeds with tokens ({', '.join(hashed)}) cannot be linked."
            " Let all of them deliver tokens, or none"
        )
    return bool(hashed)


def score_vault(session: duckdb.DuckDBPyConnection, contracts: Sequence[Contract], night: date, folder: Path, policy: Policy) -> dict[str, int]:
    """Score the tokens of the vault as it stood on a night, and make the tables of `link.score.OUTPUTS`.

    Args:
        folder: where private files on their way may lie.

    Returns:
        Counts: records, changed_records (all), candidate_pairs, edges.

    Raises:
        DatabaseFault: the vault could not be read.
        LinkageFault: feeds were tokenised with different keys, or scoring stopped (see `score_tokens`).
    """
    with clean_duckdb_errors("read the tokens of the vault"):
        from_vault(session, contracts, night, folder)
        build(session)
    with clean_duckdb_errors("score the records"):
        return score_tokens(session, policy)
