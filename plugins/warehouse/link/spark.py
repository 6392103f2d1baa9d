"""Score candidate pairs on Spark, where a full night has more of them than one machine can hold.

Only the pairs travel: evidence is standardised and persons are clustered in DuckDB, and an incremental night, which compares
little, does not come here. What is scored is a prediction (see `prediction`), by the same models: their conditions are written in
DuckDB's SQL and translated one by one. A function without an exact counterpart is an error, never silently another one.

`pyspark` and a Java runtime are needed (`pip install 'pyspark>=4,<5'`), and of the cluster that it reads the work folder. How much
memory and how many executors Spark takes, and how it encrypts what it moves, is said where Spark looks for it (`SPARK_CONF_DIR`).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.link.errors import LinkageFault
from warehouse.link.prediction import PAIR_COLUMNS, Prediction, linker_over, predict_round
from warehouse.link.splinking import quiet
from warehouse.settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from sqlglot.expressions import Expr

# Functions that mean the same on both engines; `and` and `or` are functions to the parser.
SAME_MEANING = ("And", "Or", "Left", "Right", "Substring", "Contains", "StartsWith", "Coalesce", "Lower", "Upper", "Levenshtein", "Abs", "Least", "Greatest")
# Functions that Splink's own library for Spark brings.
FROM_SPLINK = ("damerau_levenshtein", "jaro_winkler")


def predict(prediction: Prediction) -> None:
    """Score the candidate pairs of a prediction and leave them in its folder.

    Raises:
        LinkageFault: pyspark or Java is missing, a condition has no counterpart on Spark, or Spark failed.
    """
    model = model_on_spark(prediction.model, prediction.lists)
    with _session(prediction.folder) as spark, quiet(), _clean_errors():
        from splink.backends.spark import SparkAPI

        api = SparkAPI(spark_session=spark)
        inputs = _read(spark, prediction.row_files)
        linker, tables = linker_over(api, model, inputs, _read(spark, prediction.term_files))
        for number, compared in enumerate(prediction.rounds):
            scored = predict_round(linker, tables, compared, prediction.floor)
            pairs = spark.sql(f"select {PAIR_COLUMNS} from {scored.physical_name}")
            pairs.write.parquet(str(prediction.pairs_file(str(number))))


def model_on_spark(model: dict[str, Any], lists: Collection[str] = ()) -> dict[str, Any]:
    """Splink settings with their conditions and blocking rules in Spark's SQL.

    Args:
        lists: the columns that hold lists.

    Raises:
        LinkageFault: a condition has no exact counterpart.
    """
    translated = deepcopy(model) | {"sql_dialect": "spark"}
    for comparison in translated["comparisons"]:
        for level in comparison["comparison_levels"]:
            if level["sql_condition"] != "ELSE":
                level["sql_condition"] = condition_on_spark(level["sql_condition"], lists)
    for rule in translated["blocking_rules_to_generate_predictions"]:
        rule |= {"blocking_rule": condition_on_spark(rule["blocking_rule"], lists), "sql_dialect": "spark"}
    return translated


def condition_on_spark(condition: str, lists: Collection[str] = ()) -> str:
    """One condition of a level or a blocking rule, in Spark's SQL instead of DuckDB's.

    Raises:
        LinkageFault: it asks for what Spark does not have.
    """
    import sqlglot

    translated: Expr = sqlglot.parse_one(condition, read="duckdb").transform(lambda node: _on_spark(node, lists))
    return translated.sql("spark")


def _on_spark(node: Expr, lists: Collection[str]) -> Expr:
    """A part of a condition on Spark.

    `hamming` is not known there. Of texts of one length, one character differs just when one edit makes the one the other.
    """
    from sqlglot import exp

    if isinstance(node, exp.EQ) and node.this.name == "hamming" and node.expression.name == "1":
        left, right = (part.sql("spark") for part in node.this.expressions)
        return exp.condition(f"length({left}) = length({right}) and levenshtein({left}, {right}) = 1", dialect="spark")
    if isinstance(node, exp.JarowinklerSimilarity):
        return exp.Anonymous(this="jaro_winkler", expressions=[node.this, node.expression])
    if isinstance(node, exp.ArrayOverlaps):
        return exp.Anonymous(this="arrays_overlap", expressions=[node.this, node.expression])
    if isinstance(node, exp.Length):
        of_list = re.sub(r"_[lr]$", "", node.this.name) in lists
        return exp.Anonymous(this="size" if of_list else "length", expressions=[node.this])
    known = type(node).__name__ in SAME_MEANING or (isinstance(node, exp.Anonymous) and node.name in FROM_SPLINK)
    if isinstance(node, exp.Func) and not known:
        function = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        raise LinkageFault(f"The linkage models ask for {function.lower()}, which Spark does not have. Set WAREHOUSE_LINKAGE_BACKEND=duckdb")
    return node


@contextmanager
def _session(folder: Path) -> Iterator[SparkSession]:
    """A Spark session that works in a private folder and tells nobody what it does."""
    try:
        from pyspark.sql import SparkSession
        from splink.backends.spark import similarity_jar_location
    except ImportError:
        raise LinkageFault("WAREHOUSE_LINKAGE_BACKEND=spark needs pyspark: pip install 'pyspark>=4,<5'") from None
    if not os.environ.get("JAVA_HOME") and not shutil.which("java"):
        raise LinkageFault("WAREHOUSE_LINKAGE_BACKEND=spark needs a Java runtime on the path or in JAVA_HOME")

    with _clean_errors():
        session = SparkSession.builder.appName("linkage").config(map=_options(folder) | {"spark.jars": similarity_jar_location()}).getOrCreate()
        session.sparkContext.setCheckpointDir(str(folder / "checkpoints"))
    try:
        yield session
    finally:
        session.stop()


def _options(folder: Path) -> dict[str, str]:
    """How Spark runs. In the task itself it is held to the same threads and memory as DuckDB, and listens to this machine alone."""
    options = {
        "spark.sql.warehouse.dir": str(folder / "tables"),
        # Its pages and its event log would show statements, and its log values.
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "false",
        "spark.log.level": "OFF",
        # As in DuckDB, what cannot be divided or cast is null.
        "spark.sql.ansi.enabled": "false",
    }
    if settings().spark_master:
        return options | {"spark.master": settings().spark_master}
    threads = settings().threads
    return options | {
        "spark.master": f"local[{threads}]",
        "spark.driver.memory": re.sub("I?B$", "", settings().memory_limit.upper()),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder / "spill"),
        # Of the 200 parts that Spark makes of any table by default, each costs more than its few rows.
        "spark.sql.shuffle.partitions": str(2 * threads),
        "spark.default.parallelism": str(2 * threads),
    }


@contextmanager
def _clean_errors() -> Iterator[None]:
    """Turn Spark's errors into `LinkageFault`, dropping their message: it may repeat values."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise LinkageFault(f"Spark error while trying to score candidate pairs: {type(error).__name__}") from None


def _read(spark: SparkSession, files: dict[str, Path]) -> dict[str, DataFrame]:
    return {name: spark.read.parquet(str(path)) for name, path in files.items()}
