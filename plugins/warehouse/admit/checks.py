"""Run a table's rules with Great Expectations on its parsed landing table.

The rules are asked twice. First all of them at once, which Great Expectations turns into one or two scans of the table:
counts only. Then those that failed, one by one, for the numbers of the failing rows. Neither asks for values, and
whatever Great Expectations holds after a check (its results repeat values by default) stays in this module.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from warehouse.admit.errors import AdmitFault
from warehouse.contracts.suite import GX_SEVERITY, Rule
from warehouse.database import url

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch

ROW_NUMBER = "_row_number"
# Basic results with no examples: counts, and not one value.
COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
SCHEMA = "landing"


@dataclass(frozen=True)
class Outcome:
    """What a rule found: rows it looked at, and rows (or, for a rule about the table as a whole, tables) that failed."""

    rule: Rule
    checked_rows: int
    failed_rows: int


class Checker:
    """Great Expectations on the landing schema. Making one imports the library (several seconds) and opens a connection."""

    def __init__(self) -> None:
        # Both are read when the library is first imported.
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        os.environ.setdefault("DO_NOT_TRACK", "1")
        import great_expectations as gx
        from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
        from great_expectations.expectations.row_conditions import Column

        # The library logs statements and, when a metric fails, the database's message: both can hold values.
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
        in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        settled = DataContextConfig(store_backend_defaults=in_memory, analytics_enabled=False, progress_bars={"globally": False})
        context = gx.get_context(mode="ephemeral", project_config=settled)
        self._gx = gx
        self._column = Column
        self._source = context.data_sources.add_postgres("warehouse", connection_string=url("loader"), create_temp_table=False)

    def close(self) -> None:
        """Give the connection back: an open one would keep the landing tables from being dropped."""
        self._source.get_execution_engine().close()

    def counts(self, table_name: str, rules: list[Rule]) -> list[Outcome]:
        """Ask every rule of a table how many rows fail it.

        Args:
            table_name: the parsed table, in the landing schema.

        Raises:
            AdmitFault: a rule could not be evaluated, such as an expectation that does not exist.
        """
        suite = self._gx.ExpectationSuite(name=table_name, expectations=[self._expectation(rule) for rule in rules])
        with _no_values(f"check {table_name}"):
            results = self._batch(table_name).validate(suite, result_format=COUNTS_ONLY).results
        by_code = {result.expectation_config.meta["rule"]: result for result in results}
        return [_outcome(rule, by_code[rule.code]) for rule in rules]

    def failing_rows(self, table_name: str, outcome: Outcome) -> list[int]:
        """Numbers of the rows that fail a rule; none for a rule about the table as a whole.

        Raises:
            AdmitFault: the rows found are not as many as were counted.
        """
        wanted = {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [ROW_NUMBER],
            "partial_unexpected_count": outcome.failed_rows,  # also the library's limit on row numbers
            "exclude_unexpected_values": True,
            "return_unexpected_index_query": False,
        }
        with _no_values(f"list the rows that fail {outcome.rule.code}"):
            result = self._batch(table_name).validate(self._expectation(outcome.rule), result_format=wanted).result
        if "unexpected_count" not in result:
            return []
        numbers = [number for group in result.get("unexpected_index_list") or [] for number in group[ROW_NUMBER]]
        if len(numbers) != outcome.failed_rows:
            raise AdmitFault(f"The rule {outcome.rule.code} counted {outcome.failed_rows} rows but listed {len(numbers)}")
        return numbers

    def _batch(self, table_name: str) -> Batch:
        assets = {asset.name: asset for asset in self._source.assets}
        asset = assets.get(table_name) or self._source.add_table_asset(table_name, table_name=table_name, schema_name=SCHEMA)
        return asset.batch_definitions[0].get_batch() if asset.batch_definitions else asset.add_batch_definition_whole_table("whole").get_batch()

    def _expectation(self, rule: Rule) -> Any:
        name = "".join(word.capitalize() for word in rule.expectation.split("_"))
        kind = getattr(self._gx.expectations, name, None)
        if kind is None:
            raise AdmitFault(f"The rule {rule.code} asks for {rule.expectation}, which Great Expectations does not have")
        try:
            return kind(
                **rule.kwargs, row_condition=self._condition(rule), severity=GX_SEVERITY[rule.severity], meta={"rule": rule.code, "message": rule.message}
            )
        except (TypeError, ValueError) as error:  # about the rule's arguments, which come from reviewed files
            raise AdmitFault(f"The rule {rule.code} does not fit {rule.expectation}: {error}") from None

    def _condition(self, rule: Rule) -> Any:
        """The markers of a rule as a row condition; None when it is asked of every row."""
        markers = [self._column(name).is_not_null() for name in rule.where_set] + [self._column(name).is_null() for name in rule.where_unset]
        return reduce(and_, markers) if markers else None


def _outcome(rule: Rule, result: Any) -> Outcome:
    if result.exception_info.get("raised_exception", any(isinstance(v, dict) and v.get("raised_exception") for v in result.exception_info.values())):
        raise AdmitFault(f"The rule {rule.code} could not be evaluated: see the arguments of {rule.expectation}")
    if "unexpected_count" in result.result:
        return Outcome(rule, int(result.result["element_count"]), int(result.result["unexpected_count"] or 0))
    return Outcome(rule, 1, 0 if result.success else 1)


@contextmanager
def _no_values(doing: str) -> Iterator[None]:
    """Errors of the library and of the database under it repeat values: keep the class alone."""
    try:
        yield
    except AdmitFault:
        raise
    except Exception as error:
        raise AdmitFault(f"Could not {doing}: {type(error).__name__}") from None
