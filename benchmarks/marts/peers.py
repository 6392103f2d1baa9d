"""The same models without dbt, and on another engine: the SQL that dbt compiled, as one script by psql, and on DuckDB.

Peers build tables alone: no tests, the views of staging are those that stand, and what reads estimates is left out. The script makes
the same tables with the same indexes and statistics in schemas of its own. DuckDB has the source tables loaded beforehand; its SQL
is dbt's, translated by sqlglot. A model that does not run there is named, and what builds on it is left out.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
import sqlglot
from benchmarks.marts.duck import load_tables, take_types
from psycopg import sql

from warehouse.database import connect, server, url
from warehouse.model import runner
from warehouse.model.stage import AFTER_ESTIMATES

SCHEMAS = ("intermediate", "marts_blue", "published_blue")
INDEXES = "select indexdef from pg_indexes where schemaname = %s and tablename = %s"
KIND = "select c.relkind::text, c.relpersistence::text from pg_class as c where c.oid = to_regclass(%s)"
# What sqlglot leaves as Postgres says it: months in a variable number, functions' names, and a sub-query without columns.
RENAMED = {"make_interval(months =>": "to_months(", "json_build_object(": "json_object(", "json_build_array(": "json_array("}
NO_COLUMNS = re.compile(r"\bselect\s+from\b")
Seconds = dict[str, float]


def measure(night: date) -> dict[str, object]:
    """Build the layers above staging by dbt on one thread, by psql and on DuckDB."""
    layers = [f"path:models/{schema.removesuffix('_blue')}" for schema in SCHEMAS]
    started = time.perf_counter()
    command = ["run", "--full-refresh", "--threads", "1", "--select", *layers, "--exclude", f"path:{AFTER_ESTIMATES}+"]
    invocation = runner.invoke(command, {"slot": "blue", "as_at": night.isoformat()})
    by_dbt = time.perf_counter() - started
    assert invocation.error is None and not any(result.has_failed for result in invocation.results)
    models = [result.name for result in invocation.results if result.kind == "model"]  # as they ended, so each after those it reads
    script = {model: statements(model) for model in models}
    by_psql = time_script("\n".join(script.values()))
    on_duckdb, failed = time_duckdb(models)
    alike = [model for model in models if model in on_duckdb]
    per_model = {result.name: result.seconds for result in invocation.results}
    return {
        "dbt, 1 thread": round(by_dbt, 1),
        "psql, one script": round(by_psql, 1),
        "models": len(models),
        "models on DuckDB": len(alike),
        "DuckDB, those models": round(sum(on_duckdb.values()), 1),
        "Postgres, those models": round(sum(per_model[model] for model in alike), 1),
        "not on DuckDB": failed,
    }


def compiled(model: str) -> tuple[str, str]:
    """Schema and compiled SQL of a model."""
    path = next((runner.work_dir() / "target" / "compiled").rglob(f"{model}.sql"))
    layer = path.parts[path.parts.index("models") + 1]
    return next(schema for schema in SCHEMAS if schema.startswith(layer)), path.read_text(encoding="utf-8")


def statements(model: str) -> str:
    """What psql runs for a model: the table with its indexes and statistics, in the schema of the same name with `plain_` before it."""
    schema, query = compiled(model)
    with connect("admin") as connection:
        kind, persistence = connection.execute(KIND, [f"{schema}.{model}"]).fetchone() or ("r", "p")
        indexes = [row[0] for row in connection.execute(INDEXES, [schema, model])]
    if kind == "v":
        return f"create view plain_{schema}.{model} as {in_plain(query)};"
    unlogged = "unlogged " if persistence == "u" else ""
    made = [f"create {unlogged}table plain_{schema}.{model} as {in_plain(query)};"]
    made += [re.sub(r"INDEX \S+ ON (\w+)\.", r"INDEX ON plain_\1.", index) + ";" for index in indexes]
    return "\n".join([*made, f"analyze plain_{schema}.{model};"])


def in_plain(query: str) -> str:
    """The query, reading the tables that the script made."""
    for schema in SCHEMAS:
        query = query.replace(f'"{schema}".', f'"plain_{schema}".')
    return query


def time_script(script: str) -> float:
    """Seconds that psql takes for the script, each statement a transaction of its own as in dbt."""
    with connect("admin") as connection:
        for schema in SCHEMAS:
            connection.execute(sql.SQL("drop schema if exists {0} cascade; create schema {0}").format(sql.Identifier(f"plain_{schema}")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script, encoding="utf-8")
        started = time.perf_counter()
        subprocess.run([str(server.psql()), url("admin"), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(path)], check=True)
        return time.perf_counter() - started


def for_duckdb(query: str) -> str:
    """The query as DuckDB reads it."""
    for ours, theirs in RENAMED.items():
        query = query.replace(ours, theirs)
    plain = NO_COLUMNS.sub("select 1 from", query.replace('"warehouse".', ""))
    return sqlglot.transpile(plain, read="postgres", write="duckdb")[0]


def time_duckdb(models: list[str]) -> tuple[Seconds, dict[str, str]]:
    """Seconds of each model that DuckDB builds, and of the others the first line of what it says."""
    seconds: Seconds = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marts.duckdb"), config={"threads": 2, "memory_limit": "6GB"}) as session:
        load_tables(session, Path(folder))
        for model in models:
            schema, query = compiled(model)
            session.execute(f"create schema if not exists {schema}")
            try:
                translated = for_duckdb(query)
                started = time.perf_counter()
                session.execute(f"create table {schema}.{model} as {translated}").fetchall()
                seconds[model] = time.perf_counter() - started
                take_types(session, schema, model)
            except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
                failed[model] = str(error).splitlines()[0][:120]
    return seconds, failed
