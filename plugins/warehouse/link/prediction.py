"""A prediction as files: all that scoring candidate pairs needs, for another process or another engine, and what comes of it.

| file | holds |
|---|---|
| `prediction.json` | name of the scoring, Splink settings, least weight, which tables to compare, columns that hold lists |
| `rows_<table>.parquet` | the rows to compare: row_id and the columns that the model and its rules read |
| `terms_<column>.parquet` | how common each value of a column is |
| `pairs_<part>.parquet` | scored pairs of rows, as PAIRS has them: a file, or a folder of files |

The rows are identifiers: the folder has to lie in a private one (see `workspace`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.link.comparisons import columns_read
from warehouse.link.errors import LinkageFault
from warehouse.link.workspace import quoted

if TYPE_CHECKING:
    import duckdb
    from splink import Linker, SplinkDataFrame
    from splink.internals.database_api import DatabaseAPI

# Tables to compare: one, each of its rows with each other, or two, each row of the one with each of the other.
Round = tuple[str, ...]
# What a prediction makes: one row per pair of rows.
PAIRS = "create or replace table {into} (row_id_l int, row_id_r int, match_weight double, match_probability double, match_key int)"
PAIR_COLUMNS = "row_id_l, row_id_r, match_weight, match_probability, match_key::int as match_key"
# The folders of predictions that have been made elsewhere, by scoring: whoever asks for one is given its pairs.
ELSEWHERE = "create table if not exists scored_elsewhere (scoring varchar, folder varchar)"


@dataclass(frozen=True)
class Prediction:
    """A prediction that lies in `folder`. `terms` are the columns with term frequencies, `lists` the columns that hold lists."""

    folder: Path
    scoring: str
    model: dict[str, Any]
    floor: float
    rounds: tuple[Round, ...]
    terms: tuple[str, ...]
    lists: tuple[str, ...]

    @classmethod
    def write(
        cls,
        session: duckdb.DuckDBPyConnection,
        folder: Path,
        scoring: str,
        model: dict[str, Any],
        floor: float,
        rounds: Sequence[Round],
        terms: Mapping[str, str],
    ) -> Prediction:
        """Write the files of a prediction over tables of a session into a new folder.

        Args:
            floor: least match weight, in bits, of the pairs asked for.
            terms: table of term frequencies of each column that the model weighs by them.
        """
        folder.mkdir(mode=0o700)
        read = columns_of_model(model)
        lists: set[str] = set()
        for table in dict.fromkeys(table for round_ in rounds for table in round_):
            kinds = {name: kind for name, kind, *_ in session.execute(f"describe {table}").fetchall() if name in read}
            lists |= {name for name, kind in kinds.items() if kind.endswith("[]")}
            _copy(session, f"select {', '.join(kinds)} from {table}", folder / f"rows_{table}.parquet")
        for column, table in terms.items():
            _copy(session, f"select * from {table}", folder / f"terms_{column}.parquet")
        made = cls(folder, scoring, model, floor, tuple(rounds), tuple(terms), tuple(sorted(lists)))
        noted = {"scoring": scoring, "model": model, "floor": floor, "rounds": made.rounds, "terms": made.terms, "lists": made.lists}
        (folder / "prediction.json").write_text(json.dumps(noted), encoding="utf-8")
        return made

    @classmethod
    def read(cls, folder: Path) -> Prediction:
        """The prediction that somebody else has written into a folder.

        Raises:
            LinkageFault: there is none.
        """
        file = folder / "prediction.json"
        if not file.is_file():
            raise LinkageFault(f"There is nothing to score in the work folder ({folder.name}). Run the task `score` of this night again")
        noted = json.loads(file.read_text(encoding="utf-8"))
        rounds = tuple(tuple(round_) for round_ in noted["rounds"])
        return cls(folder, noted["scoring"], noted["model"], noted["floor"], rounds, tuple(noted["terms"]), tuple(noted["lists"]))

    @property
    def row_files(self) -> dict[str, Path]:
        """The files of rows by table."""
        return {table: self.folder / f"rows_{table}.parquet" for round_ in self.rounds for table in round_}

    @property
    def term_files(self) -> dict[str, Path]:
        """The files of term frequencies by column."""
        return {column: self.folder / f"terms_{column}.parquet" for column in self.terms}

    def pairs_file(self, part: str) -> Path:
        """Where the scored pairs of a part of the prediction go."""
        return self.folder / f"pairs_{part}.parquet"

    def collect(self, session: duckdb.DuckDBPyConnection, into: str) -> None:
        """Add all scored pairs to a table like PAIRS."""
        files = [part / "*.parquet" if part.is_dir() else part for part in sorted(self.folder.glob("pairs_*.parquet"))]
        session.execute(f"insert into {into} select {PAIR_COLUMNS} from read_parquet([{', '.join(quoted(file) for file in files)}])").fetchall()


def columns_of_model(model: dict[str, Any]) -> set[str]:
    """The columns of rows that Splink settings and their blocking rules read, `row_id` among them."""
    conditions = [level["sql_condition"] for comparison in model["comparisons"] for level in comparison["comparison_levels"]]
    rules = [rule["blocking_rule"] for rule in model["blocking_rules_to_generate_predictions"]]
    return {"row_id"}.union(*map(columns_read, [*conditions, *rules]))


def made_elsewhere(session: duckdb.DuckDBPyConnection, predictions: Iterable[Prediction]) -> None:
    """Tell a session that the pairs of these scorings lie in their folders."""
    session.execute(ELSEWHERE).fetchall()
    session.executemany("insert into scored_elsewhere values (?, ?)", [[made.scoring, str(made.folder)] for made in predictions])


def collected_elsewhere(session: duckdb.DuckDBPyConnection, scoring: str, into: str) -> bool:
    """Add the pairs of a scoring that was made elsewhere to a table like PAIRS; false when it was not."""
    session.execute(ELSEWHERE).fetchall()
    folders = session.execute("select folder from scored_elsewhere where scoring = ?", [scoring]).fetchall()
    for (folder,) in folders:
        Prediction.read(Path(folder)).collect(session, into)
    return bool(folders)


def _copy(session: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    session.execute(f"copy ({query}) to {quoted(path)} (format parquet)").fetchall()


def linker_over(api: DatabaseAPI[Any], model: dict[str, Any], inputs: Mapping[str, Any], terms: Mapping[str, Any]) -> tuple[Linker, dict[str, SplinkDataFrame]]:
    """A model set over tables of an engine, and the tables as Splink knows them.

    Args:
        inputs: the tables to compare by name, in the engine's own form.
        terms: the tables of term frequencies by column, in the same form.
    """
    from splink import Linker

    known = {name: api.register(table, dataset_display_name=name) for name, table in inputs.items()}
    linker = Linker([next(iter(known.values()))], model, log_level=logging.CRITICAL, validate_settings=False)
    for column, table in terms.items():
        linker.table_management.register_term_frequency_lookup(api.register(table), column)
    return linker, known


def predict_round(linker: Linker, inputs: Mapping[str, SplinkDataFrame], compared: Round, floor: float) -> SplinkDataFrame:
    """Score the candidate pairs of a round at once."""
    if len(compared) == 1:
        return linker.inference.predict(threshold_match_weight=floor, warning_mode="never")
    left, right = (inputs[table] for table in compared)
    return linker.inference.predict_between(left, right, threshold_match_weight=floor, warning_mode="never")


def predict_chunk(linker: Linker, chunk: int, chunks: int, floor: float) -> SplinkDataFrame:
    """Score the candidate pairs of the one table whose left row falls into a chunk, counted from 1."""
    return linker.inference.predict_chunk((chunk, chunks), (1, 1), threshold_match_weight=floor, warning_mode="never")
