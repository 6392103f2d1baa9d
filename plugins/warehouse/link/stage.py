"""The linkage stage: `score`, then `resolve`. Each can be killed at any moment and run again, with the same result.

`score` leaves the night's scored edges in the work folder, under their final name only once they are complete. `resolve`
reads them and changes the warehouse in one transaction. Where there are workers to share a large night among, `score` may hand
its candidate pairs out instead (see `split`): then `score_chunk` scores each chunk of them, and `gather` leaves the edges.
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
from warehouse.link import evidence, extract, from_truth, guards, incremental, split, state
from warehouse.link import resolve as resolving
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import policy
from warehouse.link.score import OUTPUTS, score_evidence
from warehouse.link.split import Chunk
from warehouse.link.state import State
from warehouse.link.tokens.night import delivers_tokens, score_vault
from warehouse.link.workspace import duckdb_session, forget_nights_before, night_folder, one_row, private_folder, quoted
from warehouse.receive import staleness
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb


def link(night: date, truth: Path | None = None) -> dict[str, int]:
    """Link everything the vault holds on a night: both steps, one after the other. Returns the counts of both."""
    return score(night, truth) | resolve(night)


def score(night: date, truth: Path | None = None, workers: int = 1) -> dict[str, int]:
    """Score the records of the vault as it stands on a night, and leave the edges for `resolve`.

    The night goes on with what each feed holds now: which delivery that is, and which feeds are late, is noted first.

    Args:
        truth: for tests and evaluation alone, the file to link by instead of by the models; the setting `linkage_truth` when None.
        workers: how many can score at the same time; with more than one, a night too large for one is split among them.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges, stale_feeds, is_full (1 when every record was scored). Of a night that was
        split, chunks instead of pairs and edges.

    Raises:
        DatabaseFault: the vault could not be read.
        LinkageFault: a model is missing, the pairs are over budget, too many records hang together, or there is too little memory.
    """
    guards.check_memory(settings().memory_limit)
    split.forget_split()
    with ops.stage_run(night, "link.score") as run, private_folder("score") as folder:
        stale = staleness.record(night)
        by_truth = from_truth.asked_for(truth)
        earlier = None if by_truth else state.usable(night, all_contracts(), policy().full_every_nights)
        counts = _score(night, earlier, folder) if earlier else None
        if counts is None:
            counts = _score(night, None, folder, by_truth, workers)
        assert counts is not None  # only an incremental night can find no room
        counts |= {"stale_feeds": len(stale)}
        _leave(folder, night)
        for name, value in counts.items():
            run.count(name, value)
    return counts


def score_chunk(night: date, chunk: Chunk) -> int:
    """Score a chunk of a night that `score` has split. Returns how many pairs are kept.

    Raises:
        LinkageFault: the night has not been split so, or there is too little memory.
    """
    guards.check_memory(settings().memory_limit)
    with ops.stage_run(night, "link.score_chunk") as run:
        pairs = split.score_chunk(night, chunk)
        run.count("pairs", pairs)
    return pairs


def gather(night: date) -> dict[str, int]:
    """Leave the edges of a night that `score` has split for `resolve`, once all its chunks are scored.

    Returns:
        Counts, as those of `score`; none when an earlier try has done it.

    Raises:
        LinkageFault: the night has not been split, a chunk is not scored, or the code has changed in between; or as in `score`.
    """
    if not split.chunks_of(night) and night_folder(night).is_dir():
        return {}
    guards.check_memory(settings().memory_limit)
    with ops.stage_run(night, "link.gather") as run, private_folder("score") as folder:
        with duckdb_session(folder / "spill") as session:
            noted = split.take_back(session, night)
            if noted["fingerprint"] != state.fingerprint(all_contracts()):
                raise LinkageFault("The linkage code or its models have changed since the night was split. Run the task `score` again")
            counts = _score_evidence(session, State(night, night, noted["fingerprint"], noted["seen"]))
            _keep_edges(session, folder)
        _leave(folder, night)
        split.forget_split()
        for name, value in counts.items():
            run.count(name, value)
    return counts


def _leave(folder: Path, night: date) -> None:
    """Put the edges that `_keep_edges` kept in a folder where `resolve` finds them; what lay there goes in any case."""
    final = night_folder(night)
    shutil.rmtree(final, ignore_errors=True)
    if (folder / "complete").is_dir():
        (folder / "complete").rename(final)


def _score(night: date, earlier: State | None, folder: Path, by_truth: Path | None = None, workers: int = 1) -> dict[str, int] | None:
    """Score a night in a session of its own, from what an earlier night kept or all anew, and keep the edges in `folder`/complete.

    With a file of the truth nothing is scored: its persons are the edges, and nothing is kept for the next night.

    Returns:
        The counts; None when there is no room for the night's new records between those that the earlier night numbered.
    """
    contracts = all_contracts()
    with duckdb_session(folder / "spill") as session:
        if by_truth:
            counts: dict[str, int] | None = from_truth.score(session, contracts, night, folder, by_truth) | {"is_full": 1}
        elif delivers_tokens(contracts):
            counts = score_vault(session, contracts, night, folder, policy()) | {"is_full": 1}
        else:
            counts = _score_clear(session, contracts, night, earlier, folder, workers)
        if counts is not None and "chunks" not in counts:
            _keep_edges(session, folder)
    return counts


def _keep_edges(session: duckdb.DuckDBPyConnection, folder: Path) -> None:
    complete = folder / "complete"
    complete.mkdir(mode=0o700)
    with clean_duckdb_errors("keep the scored edges"):
        for name, query in OUTPUTS.items():
            session.execute(f"copy ({query}) to {quoted(complete / f'{name}.parquet')} (format parquet)").fetchall()


def _score_clear(
    session: duckdb.DuckDBPyConnection, contracts: Sequence[Contract], night: date, earlier: State | None, folder: Path, workers: int
) -> dict[str, int] | None:
    """Score clear identifiers and make the tables of OUTPUTS, or split a full night among workers. As `_score` otherwise."""
    seen = extract.deliveries_seen(night)
    with clean_duckdb_errors("read and standardise the identifiers"):
        if earlier is None:
            extract.from_vault(session, contracts, night, folder)
            evidence.build(session, night, with_room=True)
        elif not incremental.build(session, earlier, contracts, night, folder):
            return None
    tonight = State(night, earlier.full_night if earlier else night, state.fingerprint(contracts), seen)
    if earlier is None and workers > 1:
        chunks = split.hand_out(session, night, policy(), {"fingerprint": tonight.fingerprint, "seen": seen})
        if chunks:
            (records,) = one_row(session, "select count(*) from record")
            return {"records": records, "changed_records": records, "is_full": 1, "chunks": len(chunks)}
    return _score_evidence(session, tonight)


def _score_evidence(session: duckdb.DuckDBPyConnection, tonight: State) -> dict[str, int]:
    """Score the evidence in the session, and keep the state of the night if it is a full one or has changed much."""
    is_full = tonight.night == tonight.full_night
    with clean_duckdb_errors("score the records"):
        counts = score_evidence(session, policy()) | {"is_full": int(is_full)}
        if is_full or state.is_worn(counts["changed_records"], counts["records"]):
            state.save(session, tonight)
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
