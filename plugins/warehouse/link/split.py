"""Share the scoring of a night among several workers: hand out its candidate pairs in chunks, and take the scored ones back.

A night whose pairs one process can hold is not split. Of one that is, the passes over records with names are handed out, which
make nearly all pairs; what follows from them is one worker's again. Between the tasks lies, in a private folder that all workers
must be able to reach:

| file | holds |
|---|---|
| `night.json` | the night, the chunks, and what the state of the night will say of it |
| `evidence.duckdb` | the evidence of the night, as the session had it |
| `<scoring>/` | a prediction (see `prediction`), and its scored chunks |
"""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from warehouse.link import named
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import Policy, load_model
from warehouse.link.prediction import PAIR_COLUMNS, Prediction, linker_over, made_elsewhere, predict_chunk
from warehouse.link.splinking import quiet
from warehouse.link.workspace import duckdb_session, private_folder, quoted
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb


class Chunk(TypedDict):
    """One worker's share of a scoring: chunk `number`, counted from 1, of `of`."""

    scoring: str
    number: int
    of: int


def split_folder() -> Path:
    """Where a split night lies until its chunks are taken back."""
    return settings().work_dir / "link" / "private-split"


def forget_split() -> None:
    """Remove what a split night left between its tasks: it holds identifiers."""
    shutil.rmtree(split_folder(), ignore_errors=True)


def hand_out(session: duckdb.DuckDBPyConnection, night: date, policy: Policy, noted: dict[str, Any]) -> list[Chunk]:
    """Leave the scoring of a full night's records with names to other workers, if it is more than one can hold at a time.

    Args:
        noted: what `take_back` shall be told.

    Returns:
        The chunks to be scored; none when the session had better go on by itself.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
        LinkageFault: a model is missing or untrained.
    """
    set_up = [named.scorer_of(session, policy, one, load_model(one.model)) for one in named.passes(session, policy)]
    scorers = [scorer for scorer in set_up if scorer]
    if sum(scorer.check_budget(policy.pair_budget_per_record, policy.pair_budget_floor) for scorer in scorers) <= settings().linkage_pairs_at_a_time:
        return []
    forget_split()
    split_folder().mkdir(parents=True, mode=0o700)
    chunks: list[Chunk] = []
    with clean_duckdb_errors("hand out candidate pairs"):
        for scorer in scorers:
            scorer.write(split_folder() / scorer.scoring, policy.named.match_weight["inclusive"])
            chunks += [Chunk(scoring=scorer.scoring, number=number, of=scorer.chunks) for number in range(1, scorer.chunks + 1)]
        session.execute(f"attach {quoted(split_folder() / 'evidence.duckdb')} as handed_out").fetchall()
        session.execute("copy from database memory to handed_out").fetchall()
        session.execute("detach handed_out").fetchall()
    night_file = split_folder() / "night.json"
    night_file.write_text(json.dumps({"night": night.isoformat(), "chunks": chunks, "noted": noted}), encoding="utf-8")
    return chunks


def chunks_of(night: date) -> list[Chunk]:
    """The chunks that a night was split into; none when it was not."""
    return _split_night(night)["chunks"] if (split_folder() / "night.json").is_file() else []


def score_chunk(night: date, chunk: Chunk) -> int:
    """Score a chunk of a night's candidate pairs and leave the pairs beside it. Idempotent.

    Returns:
        The scored pairs kept.

    Raises:
        LinkageFault: the night has not been split so, or DuckDB refused.
    """
    from splink import DuckDBAPI

    _split_night(night)
    prediction = Prediction.read(split_folder() / chunk["scoring"])
    pairs_file = prediction.pairs_file(str(chunk["number"]))
    unfinished = pairs_file.with_suffix(".unfinished")
    with (
        private_folder(f"{chunk['scoring']}-{chunk['number']}") as folder,
        duckdb_session(folder / "spill") as session,
        quiet(),
        clean_duckdb_errors("score a chunk of candidate pairs"),
    ):
        inputs = {table: _view(session, f"rows_{table}", path) for table, path in prediction.row_files.items()}
        terms = {column: _view(session, f"terms_{column}", path) for column, path in prediction.term_files.items()}
        linker, _ = linker_over(DuckDBAPI(connection=session), prediction.model, inputs, terms)
        scored = predict_chunk(linker, chunk["number"], chunk["of"], prediction.floor)
        query = f"copy (select {PAIR_COLUMNS} from {scored.physical_name}) to {quoted(unfinished)} (format parquet)"
        ((pairs,),) = session.execute(query).fetchall()
    unfinished.rename(pairs_file)
    return int(pairs)


def take_back(session: duckdb.DuckDBPyConnection, night: date) -> dict[str, Any]:
    """Put the evidence of a split night into a session, which from then on finds the pairs that the workers have scored.

    Returns:
        What `hand_out` was told.

    Raises:
        LinkageFault: the night has not been split, or a chunk has not been scored.
    """
    split = _split_night(night)
    predictions = {chunk["scoring"]: Prediction.read(split_folder() / chunk["scoring"]) for chunk in split["chunks"]}
    missing = [chunk for chunk in split["chunks"] if not predictions[chunk["scoring"]].pairs_file(str(chunk["number"])).is_file()]
    if missing:
        raise LinkageFault(f"{len(missing)} of {len(split['chunks'])} chunks of candidate pairs have not been scored. Clear their tasks")
    with clean_duckdb_errors("take back the evidence of a split night"):
        session.execute(f"attach {quoted(split_folder() / 'evidence.duckdb')} as handed_out (read_only)").fetchall()
        session.execute("copy from database handed_out to memory").fetchall()
        session.execute("detach handed_out").fetchall()
    made_elsewhere(session, predictions.values())
    noted: dict[str, Any] = split["noted"]
    return noted


def _split_night(night: date) -> dict[str, Any]:
    file = split_folder() / "night.json"
    split: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if split.get("night") != night.isoformat():
        raise LinkageFault(f"The night {night.isoformat()} is not split among workers. Run the task `score` again")
    return split


def _view(session: duckdb.DuckDBPyConnection, name: str, path: Path) -> str:
    session.execute(f"create view {name} as select * from read_parquet({quoted(path)})").fetchall()
    return name
