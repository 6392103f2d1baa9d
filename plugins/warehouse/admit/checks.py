"""Have Great Expectations judge a table of a delivery: every rule about its rows, and every rule about the delivery as a whole.

The rows have been looked at already, all rules in one pass (`violations`). What Great Expectations gets is a small table of
what they broke and one of the delivery's profile; each rule is one expectation on one of them, named and graded as the suite
says, and the verdict is its own. It is asked for counts alone, and whatever it holds afterwards stays in this module.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Thread
from typing import TYPE_CHECKING, Any

from warehouse.admit.errors import AdmitFault
from warehouse.admit.unneeded import imported_when_used
from warehouse.contracts.ddl import literal
from warehouse.contracts.suite import GX_SEVERITY, Rule
from warehouse.database import url

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch

# Basic results with no examples: counts, and not one value.
COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
SCHEMA = "landing"


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations says of a rule: whether it holds, and how many rows of the table asked speak against it."""

    rule: Rule
    holds: bool
    against: int


@lru_cache(maxsize=1)
def import_ahead() -> Thread:
    """Begin to import Great Expectations, which takes several seconds of one core, beside other work; returns the thread to wait for."""
    thread = Thread(target=_library, name="import great_expectations", daemon=True)
    thread.start()
    return thread


class Judge:
    """Great Expectations on the landing schema. Making one imports the library, and opens a connection."""

    def __init__(self) -> None:
        library = _library()
        settled = library.config(
            store_backend_defaults=library.in_memory(init_temp_docs_sites=False), analytics_enabled=False, progress_bars={"globally": False}
        )
        self._library = library
        context = library.gx.get_context(mode="ephemeral", project_config=settled)
        self._source = context.data_sources.add_postgres("warehouse", connection_string=url("loader"), create_temp_table=False)

    def close(self) -> None:
        """Give the connections back: an open one would keep the landing tables from being dropped.

        The data source has a pool of its own besides its execution engine's, and forgets it without closing it.
        """
        self._source.get_execution_engine().close()
        self._source.get_engine().dispose()

    def rows(self, relation: str, rules: list[Rule]) -> list[Verdict]:
        """The verdicts on rules about rows: a rule holds when no row broke it.

        Args:
            relation: the table's violations, in the landing schema.

        Raises:
            AdmitFault: a rule could not be judged.
        """
        # Braces are doubled: Great Expectations fills in {batch}.
        return self._judged(relation, rules, [f"select _row_number from {{batch}} where rule = {_doubled(literal(rule.code))}" for rule in rules])

    def delivery(self, relation: str, rules: list[Rule]) -> list[Verdict]:
        """The verdicts on rules about the delivery: one holds when the measure it is `of` lies between its bounds.

        Args:
            relation: the table's profile, in the landing schema.

        Raises:
            AdmitFault: a rule could not be judged.
        """
        return self._judged(relation, rules, [_outside(rule) for rule in rules])

    def _judged(self, relation: str, rules: list[Rule], queries: list[str]) -> list[Verdict]:
        expectations = [
            self._library.no_rows(
                unexpected_rows_query=query,
                description=rule.message,
                severity=GX_SEVERITY[rule.severity],
                meta={"rule": rule.code, "expectation": rule.expectation},
            )
            for rule, query in zip(rules, queries, strict=True)
        ]
        suite = self._library.gx.ExpectationSuite(name=relation, expectations=expectations)
        with _no_values(f"judge {relation}"):
            results = self._batch(relation).validate(suite, result_format=COUNTS_ONLY).results
        by_code = {result.expectation_config.meta["rule"]: result for result in results}
        return [_verdict(rule, by_code[rule.code]) for rule in rules]

    def _batch(self, relation: str) -> Batch:
        asset = self._source.add_table_asset(relation, table_name=relation, schema_name=SCHEMA)
        return asset.add_batch_definition_whole_table("whole").get_batch()


@dataclass(frozen=True)
class _Library:
    """The parts of Great Expectations that are used."""

    gx: Any
    config: Any
    in_memory: Any
    no_rows: Any


@lru_cache(maxsize=1)
def _library() -> _Library:
    # Both are read when the library is first imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # What draws charts and tests distributions takes two fifths of the time, and no rule of ours does either.
    with imported_when_used("altair", "scipy.stats"):
        import great_expectations as gx
        from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
        from great_expectations.expectations import UnexpectedRowsExpectation

    # The library logs statements and, when a metric fails, the database's message.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)

    class ExpectNoRowsToBreakTheRule(UnexpectedRowsExpectation):
        """One rule of a suite, over the violations or the profile of a delivery: the rows of its query speak against it."""

        # The number of rows alone: the rows themselves are not wanted, and would cost a query more.
        metric_dependencies = ("unexpected_rows_query.row_count",)

        def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
            count = metrics["unexpected_rows_query.row_count"]
            return {"success": count == 0, "result": {"observed_value": count}}

    return _Library(gx, DataContextConfig, InMemoryStoreBackendDefaults, ExpectNoRowsToBreakTheRule)


def _outside(rule: Rule) -> str:
    """The query that gives a row when the rule's measure lies outside its bounds, or is missing."""
    bounds = [f"value < {rule.kwargs['min_value']!r}"] if rule.kwargs.get("min_value") is not None else []
    bounds += [f"value > {rule.kwargs['max_value']!r}"] if rule.kwargs.get("max_value") is not None else []
    measure = _doubled(literal(rule.kwargs["of"]))
    return f"select 1 from (select) as one left join {{batch}} as profile on profile.name = {measure} where value is null or {' or '.join(bounds) or 'false'}"


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _verdict(rule: Rule, result: Any) -> Verdict:
    if "observed_value" not in (result.result or {}):
        raise AdmitFault(f"The rule {rule.code} could not be judged by Great Expectations")
    return Verdict(rule, bool(result.success), int(result.result["observed_value"]))


@contextmanager
def _no_values(doing: str) -> Iterator[None]:
    """Errors of the library and of the database under it repeat statements: keep the class alone."""
    try:
        yield
    except Exception as error:
        raise AdmitFault(f"Could not {doing}: {type(error).__name__}") from None
