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
from warehouse.link.errors import PairBudgetExceeded, clean_duckdb_errors
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb
    from splink import Linker, SplinkDataFrame

LinkType = Literal["dedupe_only", "link_only"]
# Input rows sampled when the pairs of the blocking rules are counted beforehand: enough for a steady estimate.
COUNTED_ROWS = 100_000


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


@dataclass
class Scorer:
    """A saved model over tables of a DuckDB session."""

    session: duckdb.DuckDBPyConnection
    linker: Linker
    inputs: list[SplinkDataFrame]
    rules: Sequence[str]
    link_type: LinkType
    rows: int

    def check_budget(self, budget_per_row: float, floor: int) -> int:
        """Estimate, from a sample, how many candidate pairs the blocking rules make.

        Raises:
            PairBudgetExceeded: more than `budget_per_row` for each input row, and more than `floor` altogether.
        """
        from splink.blocking_analysis import count_comparisons_from_blocking_rules

        with quiet(), clean_duckdb_errors("count candidate pairs"):
            counts = count_comparisons_from_blocking_rules(
                self.inputs,
                blocking_rules=prediction_rules(self.rules),
                link_type=self.link_type,
                unique_id_column_name="row_id",
                record_sample_proportion=min(1.0, COUNTED_ROWS / max(self.rows, 1)),
            )
        pairs: int = counts[-1]["cumulative_comparison_count"]
        budget = max(self.rows * budget_per_row, floor)
        if pairs > budget:
            worst = max(counts, key=lambda count: count["marginal_comparison_count"])
            raise PairBudgetExceeded(
                f"The blocking rules would compare about {pairs:,} pairs, more than the {budget:,.0f} allowed for {self.rows:,} rows."
                f" Most, {worst['marginal_comparison_count']:,}, come from the rule '{worst['blocking_rule']}'."
                " Look for a value that too many records share, or raise the budget in policy.yaml."
            )
        return pairs

    def predict(self, floor: float, into: str) -> None:
        """Score the candidate pairs and keep those of at least `floor` bits as the table `into`."""
        with quiet(), clean_duckdb_errors("score candidate pairs"):
            scored = self.linker.inference.predict(threshold_match_weight=floor, warning_mode="never")
            self.session.execute(f"create or replace table {into} as select * from {scored.physical_name}").fetchall()
            scored.drop_table_from_database_and_remove_from_cache()


def scorer(
    session: duckdb.DuckDBPyConnection, model: dict[str, Any], tables: dict[str, str], rules: Sequence[str], link_type: LinkType, prior: float
) -> Scorer:
    """Set a saved model over tables of the session.

    Args:
        model: Splink settings with trained parameters.
        tables: display name to table name; two of them when linking, in alphabetical order of their display names.
        rules: blocking rules to use tonight.
        prior: probability that two random rows are the same person.
    """
    from splink import DuckDBAPI, Linker

    settings = deepcopy(model) | {
        "link_type": link_type,
        "blocking_rules_to_generate_predictions": prediction_rules(rules),
        "probability_two_random_records_match": prior,
    }
    with quiet(), clean_duckdb_errors("set up a linkage model"):
        api = DuckDBAPI(connection=session)
        inputs = [api.register(table, dataset_display_name=name) for name, table in tables.items()]
        linker = Linker(inputs, settings, log_level=logging.CRITICAL, validate_settings=False)
    rows = sum(one_row(session, f"select count(*) from {table}")[0] for table in tables.values())
    return Scorer(session, linker, inputs, rules, link_type, rows)
