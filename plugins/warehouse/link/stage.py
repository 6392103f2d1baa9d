"""The linkage stage: `score`, then `resolve`. Each can be killed at any moment and run again, with the same result.

`score` leaves the night's scored edges in the work folder, under their final name only once they are complete. `resolve`
reads them and changes the warehouse in one transaction.
"""

from __future__ import annotations

import shutil
from datetime import date

from warehouse.contracts.load import all_contracts
from warehouse.database import ops
from warehouse.link import evidence, extract
from warehouse.link import resolve as resolving
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import policy
from warehouse.link.score import OUTPUTS, score_evidence
from warehouse.link.workspace import duckdb_session, forget_nights_before, night_folder, private_folder, quoted
from warehouse.receive import staleness


def link(night: date) -> dict[str, int]:
    """Link everything the vault holds on a night: both steps, one after the other. Returns the counts of both."""
    return score(night) | resolve(night)


def score(night: date) -> dict[str, int]:
    """Score the records of the vault as it stands on a night, and leave the edges for `resolve`.

    The night goes on with what each feed holds now: which delivery that is, and which feeds are late, is noted first.

    Returns:
        Counts: records, candidate_pairs, edges, stale_feeds.

    Raises:
        DatabaseFault: the vault could not be read.
        LinkageFault: a model is missing, the pairs are over budget, or too many records hang together.
    """
    final = night_folder(night)
    with ops.stage_run(night, "link.score") as run, private_folder("score") as folder, duckdb_session(folder / "spill") as session:
        stale = staleness.record(night)
        with clean_duckdb_errors("read the vault into DuckDB"):
            extract.from_vault(session, all_contracts(), night, folder)
        with clean_duckdb_errors("standardise the identifiers"):
            evidence.build(session, night)
        with clean_duckdb_errors("score the records"):
            counts = score_evidence(session, policy()) | {"stale_feeds": len(stale)}
            complete = folder / "complete"
            complete.mkdir(mode=0o700)
            for name, query in OUTPUTS.items():
                session.execute(f"copy ({query}) to {quoted(complete / f'{name}.parquet')} (format parquet)").fetchall()
        shutil.rmtree(final, ignore_errors=True)
        complete.rename(final)
        for name, value in counts.items():
            run.count(name, value)
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
