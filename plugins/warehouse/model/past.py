"""A mart as it stood after a past night: built again from the history of source rows and links, beside the live tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from warehouse.database import clean_errors, connect
from warehouse.model import runner
from warehouse.model.errors import ModelBuildFailed
from warehouse.model.stage import AFTER_ESTIMATES
from warehouse.products import stage as products
from warehouse.products.errors import EstimateFailed
from warehouse.products.schemas import of_past
from warehouse.settings import settings

# The layers a past night is built in, in schemas of this name with `_past`: the macro generate_schema_name.
LAYERS = ("staging", "intermediate", "marts", "estimates", "published")
PUBLIC = ("marts", "published")
REFERENCE = re.compile(r"ref\('(\w+)'\)")


def tables() -> dict[str, str]:
    """Every table analysts may ask for, with its layer."""
    models = Path(settings().dbt_project_dir, "models")
    return {path.stem: layer for layer in PUBLIC for path in sorted((models / layer).glob("**/*.sql"))}


def rows(night: date, table: str, *, keep: bool = False) -> Iterator[bytes]:
    """The rows of a mart or published table as at a past night, as CSV with a header.

    All that the table is made from is built again from the source rows and links that were valid on the night, with the
    definitions of today; what has been erased or withdrawn since is missing. The live tables are not touched.

    Args:
        night: a night that was loaded.
        table: a name of `tables()`.
        keep: leave what was built in the schemas `marts_past`, `published_past` and so on, for the transformer to query.

    Raises:
        ValueError: there is no such table, nothing was loaded up to the night, or another past night is being built.
        ModelBuildFailed: dbt could not build it.
        DatabaseFault: the warehouse could not be reached.
    """
    known = tables()
    if table not in known:
        raise ValueError(f"There is no table '{table}' in marts or published. Tables: {', '.join(known)}")
    with clean_errors(f"build {table} as at {night}"), connect("transformer", autocommit=True) as connection, _past_alone(connection, night, keep):
        connection.execute("create schema estimates_past")
        if estimated(table):
            _run(night, *(f"+path:{path}" for path in ("models/marts", "models/intermediate")), exclude=f"path:{AFTER_ESTIMATES}")
            _estimate(night)
        _run(night, f"+{table}")
        query = sql.SQL("copy (table {}) to stdout with (format csv, header)").format(sql.Identifier(f"{known[table]}_past", table))
        with connection.cursor().copy(query) as blocks:
            yield from map(bytes, blocks)


def estimated(table: str) -> bool:
    """Whether a table is made from estimates: then all marts have to be built first."""
    path = next(Path(settings().dbt_project_dir, "models").rglob(f"{table}.sql"))
    text = path.read_text(encoding="utf-8")
    return "source('estimates'" in text or any(estimated(parent) for parent in REFERENCE.findall(text) if parent in tables())


def _run(night: date, *selected: str, exclude: str | None = None) -> None:
    variables = {"slot": "blue", "as_at": night.isoformat(), "past": "true"}
    options = ("--exclude", exclude) if exclude else ()
    invocation = runner.invoke(("run", "--full-refresh", "--select", *selected, *options), variables, target="target_past")
    failures = [invocation.error] if invocation.error else [str(result) for result in invocation.results if result.has_failed]
    if failures:
        raise ModelBuildFailed(f"night of {night}", failures)


def _estimate(night: date) -> None:
    try:
        products.estimate(night, of_past())
    except EstimateFailed as failure:
        raise ModelBuildFailed(f"estimates of {night}", [str(failure)]) from None


@contextmanager
def _past_alone(connection: Connection[Any], night: date, keep: bool) -> Iterator[None]:
    """Hold the schemas of past nights for one build, empty at its start; gone at its end unless they are to be kept."""
    loaded = connection.execute("select exists (select from ops.delivery where status = 'admitted' and night <= %s)", [night]).fetchone()
    if loaded is None or not loaded[0]:
        raise ValueError(f"Nothing had been loaded by {night}")
    held = connection.execute("select pg_try_advisory_lock(hashtext('warehouse.past'))").fetchone()
    if held is None or not held[0]:
        raise ValueError("Another past night is being built; wait for it")
    try:
        _drop(connection)
        yield
    finally:
        if not keep:
            _drop(connection)
        connection.execute("select pg_advisory_unlock(hashtext('warehouse.past'))")


def _drop(connection: Connection[Any]) -> None:
    connection.execute("set client_min_messages = warning")
    for layer in reversed(LAYERS):
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(f"{layer}_past")))
