"""Fixtures shared by all tests: a real Postgres of the test run's own, and a clean database for each test that asks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

HOME = Path(os.environ.get("WAREHOUSE_TEST_HOME") or Path(__file__).parents[1] / ".warehouse" / "test")
# Before anything imports the settings: tests never touch the home of a real warehouse, nor a database named outside.
os.environ["WAREHOUSE_HOME"] = str(HOME)
for name in ("WAREHOUSE_URL", "WAREHOUSE_INBOX"):
    os.environ.pop(name, None)
os.environ["DO_NOT_TRACK"] = "1"
os.environ["GX_ANALYTICS_ENABLED"] = "false"

STAGE_SCHEMAS = ("landing", "quarantine", "vault", "source", "linkage")
OPS_TABLES = "ops.check_result, ops.delivery_file, ops.delivery, ops.stage_run, ops.linkage_metric, ops.publication"


@pytest.fixture(scope="session")
def warehouse_db() -> Iterator[Path]:
    """An embedded Postgres with zones and feed tables, in a home of its own; gives that home."""
    from warehouse.database import server
    from warehouse.database.setup import prepare

    server.remove()
    shutil.rmtree(HOME, ignore_errors=True)
    prepare()
    yield HOME
    server.remove()


@pytest.fixture
def clean_db(warehouse_db: Path) -> Path:
    """The same database with every stage's rows and modelled tables removed, and no files of earlier tests."""
    from warehouse.database import connect

    with connect("admin") as connection:
        tables = connection.execute(
            "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = any(%s)", [list(STAGE_SCHEMAS)]
        ).fetchall()
        connection.execute(f"truncate {', '.join(t for (t,) in tables)}, {OPS_TABLES} restart identity")
        views = connection.execute(
            "select format('%I.%I', schemaname, viewname) from pg_views where schemaname in ('marts', 'published')"
        ).fetchall()
        for (view,) in views:
            connection.execute(f"drop view {view} cascade")
        built = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname in ('staging', 'intermediate', 'marts_blue', 'marts_green', 'published_blue', 'published_green')"
        ).fetchall()
        for (table,) in built:
            connection.execute(f"drop table if exists {table} cascade")
    for folder in ("landing", "work", "reports"):
        shutil.rmtree(HOME / folder, ignore_errors=True)
    return warehouse_db
