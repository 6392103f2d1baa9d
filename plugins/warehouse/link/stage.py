"""The linkage stage: `score`, then `resolve`. Each can be killed at any moment and run again, with the same result.

`score` leaves the night's scored edges in the work folder, under their final name only once they are complete. `resolve`
reads them and changes the warehouse in one transaction.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.database import ops
from warehouse.link import evidence, extract, guards, incremental, state
from warehouse.link import resolve as resolving
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import policy
from warehouse.link.score import OUTPUTS, score_evidence
from warehouse.link.state import State
from warehouse.link.tokens.night import delivers_tokens, score_vault
from warehouse.link.workspace import duckdb_session, forget_nights_before, night_folder, private_folder, quoted
from warehouse.receive import staleness
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb


def link(night: date) -> dict[str, int]:
    """Link everything the vault holds on a night: both steps, one after the other. Returns the counts of both."""
    return score(night) | resolve(night)


def score(night: date) -> dict[str, int]:
    """Score the records of the vault as it stands on a night, and leave the edges for `resolve`.

    The night goes on with what each feed holds now: which delivery that is, and which feeds are late, is noted first.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges, stale_feeds, is_full (1 when every record was scored).

    Raises:
        DatabaseFault: the vault could not be read.
        LinkageFault: a model is missing, the pairs are over budget, too many records hang together, or there is too little memory.
    """
    final = night_folder(night)
    guards.check_memory(settings().memory_limit)
    with ops.stage_run(night, "link.score") as run, private_folder("score") as folder:
        stale = staleness.record(night)
        earlier = state.usable(night, all_contracts(), policy().full_every_nights)
        counts = _score(night, earlier, folder) if earlier else None
        if counts is None:
            counts = _score(night, None, folder)
        assert counts is not None  # only an incremental night can find no room
        counts |= {"stale_feeds": len(stale)}
        shutil.rmtree(final, ignore_errors=True)
        (folder / "complete").rename(final)
        for name, value in counts.items():
            run.count(name, value)
    return counts


def _score(night: date, earlier: State | None, folder: Path) -> dict[str, int] | None:
    """Score a night in a session of its own, from what an earlier night kept or all anew, and leave the edges in `folder`/complete.

    Returns:
        The counts; None when there is no room for the night's new records between those that the earlier night numbered.
    """
    contracts = all_contracts()
    with duckdb_session(folder / "spill") as session:
        if delivers_tokens(contracts):
            counts: dict[str, int] | None = score_vault(session, contracts, night, folder, policy()) | {"is_full": 1}
        else:
            counts = _score_clear(session, contracts, night, earlier, folder)
        if counts is None:
            return None
        complete = folder / "complete"
        complete.mkdir(mode=0o700)
        with clean_duckdb_errors("keep the scored edges"):
            for name, query in OUTPUTS.items():
                session.execute(f"copy ({query}) to {quoted(complete / f'{name}.parquet')} (format parquet)").fetchall()
    return counts


def _score_clear(session: duckdb.DuckDBPyConnection, contracts: Sequence[Contract], night: date, earlier: State | None, folder: Path) -> dict[str, int] | None:
    """Score clear identifiers and make the tables of OUTPUTS. As `_score` otherwise."""
    seen = extract.deliveries_seen(night)
    with clean_duckdb_errors("read and standardise the identifiers"):
        if earlier is None:
            extract.from_vault(session, contracts, night, folder)
            evidence.build(session, night, with_room=True)
        elif not incremental.build(session, earlier, contracts, night, folder):
            return None
    with clean_duckdb_errors("score the records"):
        counts = score_evidence(session, policy()) | {"is_full": int(earlier is None)}
        if earlier is None or state.is_worn(counts["changed_records"], counts["records"]):
            state.save(session, State(night, earlier.full_night if earlier else night, state.fingerprint(contracts), seen))
    return counts


def resolve(night: date) -> dict[str, int]:
    """Turn the night's scored edges into persons: links with their history, events, edges and metrics, in one transaction.

    Returns:
        Counts: records, persons, and persons created, merged, split and retired.

    Raises:
        LinkageFault: the night has not been scored, or a later one has been linked.
        DatabaseFault: the database refused; nothing has changed.
    """
    scored = night_folder(night)
    with ops.stage_run(night, "link.resolve") as run:
        if not scored.is_dir():
            raise LinkageFault(f"The night {night.isoformat()} has not been scored. Run link.stage.score first")
        with private_folder("resolve") as folder, duckdb_session(folder / "spill") as session:
            with clean_duckdb_errors("cluster the scored edges"):
                resolving.load_scored(session, scored)
                resolving.cluster_links(session)
            counts = resolving.write(session, night, folder)
        forget_nights_before(night)
        for name, value in counts.items():
            run.count(name, value)
    return counts
