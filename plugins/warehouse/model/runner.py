"""One dbt invocation inside this process, with nothing it says or writes holding a value of a row.

dbt's own log, console output and `run_results.json` repeat database messages, and those repeat values: all three are
off, and a log of ours takes their place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.database import url
from warehouse.model.errors import safe_message
from warehouse.model.parsed import manifest
from warehouse.settings import settings

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

# The night: no schema, no configuration depends on it, so that parsing the project can be spared from night to night.
READ_WHEN_RUN = "as_at"
FAILED = ("error", "fail", "runtime error", "partial success")


@dataclass(frozen=True)
class NodeResult:
    """What became of one seed, model or test.

    `rows` are the rows written; `failures` the rows a test found wrong.
    """

    kind: str
    name: str
    status: str
    seconds: float
    rows: int
    failures: int
    message: str

    @property
    def has_failed(self) -> bool:
        return self.status in FAILED

    def __str__(self) -> str:
        found = f"{self.failures} rows" if self.status == "fail" else self.message
        return f"{self.kind} {self.name} ({found})" if self.has_failed else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Invocation:
    """The results of an invocation; `error` is set when dbt stopped before running anything."""

    results: list[NodeResult]
    error: str | None


def work_dir() -> Path:
    """Where dbt keeps its parse cache and compiled SQL, and where our log of its runs lies."""
    return settings().work_dir / "dbt"


def invoke(command: Sequence[str], variables: dict[str, str], *, target: str = "target", writes_json: bool = False) -> Invocation:
    """Run dbt as the transformer.

    Args:
        command: the dbt command and its own options, as `["build", "--select", "path:models/marts"]`.
        variables: the project's variables.
        target: folder under `work_dir()` for the parse cache and what dbt writes; its own for what may run beside a night.
        writes_json: let dbt write its artefacts; only for commands whose artefacts hold no database message.
    """
    from dbt.cli.main import dbtRunner  # seconds to import, so not before a task needs it

    options = [
        *("--project-dir", str(settings().dbt_project_dir), "--profiles-dir", str(settings().dbt_project_dir)),
        *("--target-path", str(work_dir() / target), "--log-path", str(work_dir() / "logs")),
        *("--quiet", "--no-use-colors", "--log-level", "none", "--log-level-file", "none", "--no-print"),
        "--write-json" if writes_json else "--no-write-json",
    ]

    # The same order of tests and models from fewer edges: a second of each build.
    built = [*command, *(["--use-fast-test-edges"] if command[0] == "build" else [])]

    def parse(parsing: dict[str, str]) -> dbtRunnerResult:
        return dbtRunner().invoke(["parse", "--vars", json.dumps(parsing), *options])

    with transformer_environment():
        # Artefacts describe the parsing too, so whoever wants them parses.
        parsed = None if writes_json else manifest({name: value for name, value in variables.items() if name != READ_WHEN_RUN}, parse)
        outcome = dbtRunner(parsed).invoke([*built, "--vars", json.dumps(variables), *options])
    results = [_node_result(result) for result in getattr(outcome.result, "results", ())]
    failed_early = outcome.exception is not None
    return Invocation(results, f"{type(outcome.exception).__name__}: {safe_message(str(outcome.exception))}" if failed_early else None)


@contextmanager
def transformer_environment() -> Iterator[None]:
    """The environment that profiles.yml reads, for as long as dbt runs."""
    address = sa.make_url(url("transformer"))
    values = {
        "WAREHOUSE_DBT_HOST": address.host,
        "WAREHOUSE_DBT_PORT": address.port or 5432,
        "WAREHOUSE_DBT_USER": address.username,
        "WAREHOUSE_DBT_PASSWORD": address.password,
        "WAREHOUSE_DBT_DBNAME": address.database,
        "WAREHOUSE_DBT_THREADS": settings().threads,
        "DO_NOT_TRACK": 1,
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: str(value) for name, value in values.items() if value is not None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def write_log(path: Path, results: Sequence[NodeResult]) -> None:
    """Write one line per seed, model and test: status, seconds, rows written, rows found wrong, name, message."""
    lines = (f"{r.status:8} {r.seconds:8.2f} s {r.rows:>10} rows {r.failures:>6} wrong  {r.kind} {r.name} {r.message}".rstrip() for r in results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _node_result(result: object) -> NodeResult:
    node = getattr(result, "node", None)
    status = str(getattr(result, "status", ""))
    response = getattr(result, "adapter_response", None) or {}
    return NodeResult(
        kind=str(getattr(node, "resource_type", "node")),
        name=str(getattr(node, "name", "unknown")),
        status=status,
        seconds=float(getattr(result, "execution_time", 0.0)),
        rows=max(int(response.get("rows_affected") or 0), 0),
        failures=int(getattr(result, "failures", None) or 0),
        message=safe_message(getattr(result, "message", None)) if status in ("error", "runtime error") else "",
    )
