"""Fixtures shared by all tests: a real Postgres of the test run's own, and a clean database for each test that asks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Each worker of a parallel run has a warehouse of its own.
HOME = Path(os.environ.get("WAREHOUSE_TEST_HOME") or Path(__file__).parents[1] / ".warehouse" / "test") / os.environ.get("PYTEST_XDIST_WORKER", "")
# Before anything imports the settings: tests never touch the home of a real warehouse, nor a database named outside.
os.environ["WAREHOUSE_HOME"] = str(HOME)
# Set to nothing rather than removed: a name in .env must not win either.
os.environ["WAREHOUSE_URL"] = ""
os.environ.pop("WAREHOUSE_INBOX", None)
# Tests write their files themselves, whole: nothing is still being uploaded.
os.environ["WAREHOUSE_SETTLE_SECONDS"] = "0"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["GX_ANALYTICS_ENABLED"] = "false"

STAGE_SCHEMAS = ("landing", "quarantine", "vault", "source", "linkage", "estimates_blue", "estimates_green", "ops")
MODELLED_SCHEMAS = ("staging", "intermediate", "marts_blue", "marts_green", "published_blue", "published_green", "marts", "published")


@pytest.fixture(scope="session")
def warehouse_db() -> Iterator[Path]:
    """An embedded Postgres with zones and feed tables, in a home of its own; gives that home."""
    from warehouse.database import server
    from warehouse.database.setup import prepare

    server.remove()
    shutil.rmtree(HOME, ignore_errors=True)
    fix_feed_keys()
    prepare()
    yield HOME
    server.remove()


def fix_feed_keys() -> None:
    """Give each feed the same key in every run of the tests, so that the same rows have the same record keys."""
    from warehouse.contracts.load import feeds

    HOME.mkdir(parents=True, exist_ok=True)
    keys = {f"feed_key_{feed}": hashlib.sha256(feed.encode()).hexdigest() for feed in feeds()}
    (HOME / "secrets.json").write_text(json.dumps(keys), encoding="utf-8")


def wipe() -> None:
    """Remove every stage's rows, the modelled tables, and the files of earlier tests."""
    from warehouse.database import connect

    with connect("admin") as connection:
        tables = connection.execute(
            "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = any(%s)", [list(STAGE_SCHEMAS)]
        ).fetchall()
        connection.execute(f"truncate {', '.join(t for (t,) in tables)} restart identity")
        modelled = connection.execute(
            "select case relkind when 'v' then 'view' else 'table' end, format('%%I.%%I', nspname, relname)"
            " from pg_class join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'v') and nspname = any(%s)",
            [list(MODELLED_SCHEMAS)],
        ).fetchall()
        for kind, name in modelled:
            connection.execute(f"drop {kind} if exists {name} cascade")
    for folder in ("landing", "work", "reports", "answers"):
        shutil.rmtree(HOME / folder, ignore_errors=True)


@pytest.fixture
def wipe_database(warehouse_db: Path) -> Callable[[], None]:
    """A function that empties the database, for tests that need it emptied in their middle."""
    return wipe


@pytest.fixture
def clean_db(warehouse_db: Path) -> Path:
    """The test database, emptied; gives the warehouse's home."""
    wipe()
    return warehouse_db
