"""The few calls of Splink that linkage needs, kept quiet and inside a pair budget.

Splink prints and logs settings, SQL and examples of records; none of it may reach a log.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from warehouse.link.blocking import LISTS
from warehouse.link.candidates import CANDIDATE_VOLUME, make_pairs, pairs_between, pairs_within
from warehouse.link.errors import clean_duckdb_errors
from warehouse.link.guards import check_pairs
from warehouse.link.population import term_columns, term_frequencies
from warehouse.link.prediction import PAIRS, Prediction, Round, collected_elsewhere, linker_over, predict_chunk, predict_round
from warehouse.link.workspace import one_row, private_folder
from warehouse.settings import settings

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from splink import DuckDBAPI, Linker, SplinkDataFrame

LinkType = Literal["dedupe_only", "link_only"]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Splink's log and warnings."""
    log = logging.getLogger("splink")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def prediction_rules(rules: Sequence[str]) -> list[dict[str, Any]]:
    """Blocking rules in Splink's form; a rule on a list column holds when any of its values agrees."""
    prepared: list[dict[str, Any]] = []
    for rule in rules:
        lists = [column for column in LISTS if f"l.{column} " in rule]
        prepared.append({"blocking_rule": rule, "sql_dialect": "duckdb"} | ({"arrays_to_explode": lists} if lists else {}))
    return prepared


def rounds(session: duckdb.DuckDBPyConnection, left: str, right: str | None = None) -> list[Round]:
    """What to compare so that every pair with a changed row is compared once: pairs inside `left`, or between `left` and `right`.

    Rows tell by a column `is_changed` whether they are new since the pairs of the others were scored. Makes the views
    `<table>_changed` and `<table>_earlier` where some are and some are not.
    """
    counts = {table: _split(session, table) for table in (left, right) if table}
    if right is None:
        changed, earlier = counts[left]
        if not earlier:
            return [(left,)] if changed else []
        return [(f"{left}_changed",), (f"{left}_earlier", f"{left}_changed")] if changed else []
    if not all(sum(count) for count in counts.values()):
        return []
    if not any(earlier for _, earlier in counts.values()):
        return [(left, right)]
    between: list[Round] = [(f"{left}_changed", right)] if counts[left][0] else []
    return [*between, (f"{left}_earlier", f"{right}_changed")] if counts[left][1] and counts[right][0] else between


def _split(session: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    session.execute(f"create or replace temp view {table}_changed as select * from {table} where is_changed").fetchall()
    session.execute(f"create or replace temp view {table}_earlier as select * from {table} where not is_changed").fetchall()
    changed, earlier = one_row(session, f"select count(*) filter (is_changed), count(*) filter (not is_changed) from {table}")
    return int(changed), int(earlier)


def is_partial(compared: Sequence[Round]) -> bool:
    """Whether `rounds` left out pairs in which nothing has changed."""
    return any(table.endswith(("_changed", "_earlier")) for round_ in compared for table in round_)


@dataclass
class Scorer:
    """A saved model over tables of a DuckDB session; `inputs` are the tables by the names Splink knows them by, `terms` the tables
    of term frequencies by column, and `model` the settings with tonight's rules and prior.

    Where only some pairs are to be compared, they are made here, in table `pairs`, and Splink reads the rows they name alone.
    """

    session: duckdb.DuckDBPyConnection
    scoring: str
    model: dict[str, Any]
    api: DuckDBAPI
    linker: Linker
    inputs: dict[str, SplinkDataFrame]
    terms: dict[str, str]
    rules: Sequence[str]
    rounds: Sequence[Round]
    changed_rows: int
    candidates: int = 0
    pairs: str | None = None

    def check_budget(self, budget_per_row: float, floor: int) -> int:
        """Count how many candidate pairs each blocking rule makes, and note it in `candidate_volume`.

        Raises:
            PairBudgetExceeded: more than `budget_per_row` for each changed row, and more than `floor` altogether.
        """
        budget = int(max(self.changed_rows * budget_per_row, floor))
        self.session.execute(CANDIDATE_VOLUME).fetchall()
        self.session.execute("delete from candidate_volume where scoring = ?", [self.scoring]).fetchall()
        with clean_duckdb_errors("count candidate pairs"):
            by_rule = self._make_pairs(budget + 1) if is_partial(self.rounds) else [self._candidates(rule) for rule in self.rules]
        self.session.executemany(
            "insert into candidate_volume values (?, ?, ?, ?)",
            [[self.scoring, number, rule, pairs] for number, (rule, pairs) in enumerate(zip(self.rules, by_rule, strict=True))],
        )
        most = max(by_rule)
        self.candidates = sum(by_rule)
        check_pairs(self.candidates, self.changed_rows, budget_per_row, floor, self.rules[by_rule.index(most)], most)
        return self.candidates

    def _candidates(self, rule: str) -> int:
        return sum(
            pairs_within(self.session, rule, compared[0]) if len(compared) == 1 else pairs_between(self.session, rule, compared[0], compared[1])
            for compared in self.rounds
        )

    def _make_pairs(self, most: int) -> list[int]:
        """Make the pairs to compare, `most` at most; how many by each rule."""
        self.pairs = f"{self.scoring}_candidate"
        return make_pairs(self.session, self.rules, self.rounds, most, self.pairs)

    def predict(self, floor: float, into: str) -> None:
        """Score the candidate pairs and make table `into` (see PAIRS) of those of at least `floor` bits."""
        self.session.execute(PAIRS.format(into=into)).fetchall()
        if collected_elsewhere(self.session, self.scoring, into):
            return
        if not is_partial(self.rounds) and settings().linkage_backend == "spark":
            self._predict_on_spark(floor, into)
            return
        inference = self.linker.inference
        with quiet(), clean_duckdb_errors("score candidate pairs"):
            if is_partial(self.rounds):
                if self.pairs is None:
                    self._make_pairs(2**62)
                made = self.api.register(self.pairs)
                self.linker.table_management.register_blocked_pairs_for_predict(made)
                self._keep(inference.predict(threshold_match_weight=floor, warning_mode="never"), into)
                return
            for compared in self.rounds:
                if len(compared) == 1:
                    self._predict_in_chunks(floor, into)
                else:
                    self._keep(predict_round(self.linker, self.inputs, compared, floor), into)

    def write(self, folder: Path, floor: float) -> Prediction:
        """Leave in a new folder all that another process or engine needs to score the candidate pairs of at least `floor` bits."""
        return Prediction.write(self.session, folder, self.scoring, self.model, floor, self.rounds, self.terms)

    def _predict_on_spark(self, floor: float, into: str) -> None:
        from warehouse.link import spark

        with private_folder("spark") as folder:
            prediction = self.write(folder / self.scoring, floor)
            spark.predict(prediction)
            prediction.collect(self.session, into)

    def _predict_in_chunks(self, floor: float, into: str) -> None:
        """Compare the rows of the one table with each other, so many left rows at a time that memory holds their pairs."""
        for chunk in range(1, self.chunks + 1):
            self._keep(predict_chunk(self.linker, chunk, self.chunks, floor), into)

    @property
    def chunks(self) -> int:
        """In how many chunks of left rows the candidate pairs counted are compared, so that memory holds each."""
        return max(-(-self.candidates // settings().linkage_pairs_at_a_time), 1)

    def _keep(self, scored: SplinkDataFrame, into: str) -> None:
        self.session.execute(
            f"insert into {into} select row_id_l, row_id_r, match_weight, match_probability, match_key::int from {scored.physical_name}"
        ).fetchall()
        scored.drop_table_from_database_and_remove_from_cache()


def scorer(
    session: duckdb.DuckDBPyConnection,
    scoring: str,
    model: dict[str, Any],
    rules: Sequence[str],
    compared: Sequence[Round],
    tables: Sequence[str],
    prior: float,
) -> Scorer:
    """Set a saved model over tables of the session.

    Args:
        scoring: name of this use of the model; term frequencies are kept by it.
        model: Splink settings with trained parameters.
        rules: blocking rules to use tonight.
        compared: what `rounds` gave, at least one round.
        tables: the tables that terms are counted over, with columns row_id and is_changed.
        prior: probability that two random rows are the same person.
    """
    from splink import DuckDBAPI

    tonight = deepcopy(model) | {
        # Rows are numbered throughout a table, and rounds say which side is which: Splink need not tell data sets apart.
        "link_type": "dedupe_only",
        "blocking_rules_to_generate_predictions": prediction_rules(rules),
        "probability_two_random_records_match": prior,
    }
    with quiet(), clean_duckdb_errors("set up a linkage model"):
        names = [_all_rows(session, scoring, tables)] if is_partial(compared) else dict.fromkeys(name for round_ in compared for name in round_)
        terms = {column: term_frequencies(session, scoring, column, tables) for column in term_columns(model)}
        api = DuckDBAPI(connection=session)
        linker, inputs = linker_over(api, tonight, {name: name for name in names}, terms)
    changed = sum(one_row(session, f"select count(*) filter (is_changed) from {table}")[0] for table in tables)
    return Scorer(session, scoring, tonight, api, linker, inputs, terms, rules, compared, changed)


def _all_rows(session: duckdb.DuckDBPyConnection, scoring: str, tables: Sequence[str]) -> str:
    """One view of the rows of all tables, which share no row_id."""
    rows = " union all by name ".join(f"select * from {table}" for table in tables)
    session.execute(f"create or replace temp view {scoring}_all_rows as {rows}").fetchall()
    return f"{scoring}_all_rows"
