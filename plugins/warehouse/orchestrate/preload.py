"""Start an Airflow service with the libraries of the night already imported: `python -m warehouse.orchestrate.preload scheduler`.

The LocalExecutor's tasks are forked from the scheduler, so they inherit what it has imported. A night is some forty tasks, and without this
each spends 4 to 12 seconds of CPU on imports: on two cores that is more than all their work on a small night.

Nothing is opened here: no connection, no thread of a library, no file. A library that is missing or broken is left to the task that
needs it, which can tell of it.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module

LIBRARIES = (
    "airflow.sdk.execution_time.task_runner",
    "duckdb",
    "pyarrow.parquet",
    "psycopg",
    "pgpq",
    "great_expectations.expectations",
    "great_expectations.datasource.fluent",
    "splink",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "altair",
    "pandas",
    "scipy.stats",
    "jinja2",
)


def preload() -> None:
    """Import what tasks will need, and keep it out of the garbage collector's way so that forked tasks share its memory."""
    # Both are read when Great Expectations is first imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("DO_NOT_TRACK", "1")
    for library in LIBRARIES:
        with suppress(ImportError):
            import_module(library)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Preload, then be Airflow: the arguments are those of the `airflow` command."""
    preload()
    from airflow.__main__ import main as airflow

    sys.argv[0] = "airflow"
    airflow()


if __name__ == "__main__":
    main()
