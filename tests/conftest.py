"""Fixtures shared by all tests: a real Postgres of the test run's own, and a clean database for each test that asks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from psycopg import Connection

TESTS = Path(__file__).parent
AREA = Path(os.environ.get("WAREHOUSE_TEST_HOME") or TESTS.parent / ".warehouse" / "test")
# Each worker of a parallel run has a warehouse of its own.
HOME = AREA / os.environ.get("PYTEST_XDIST_WORKER", "alone")
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

# A table without a page has no row; a sequence without a last value has given no number.
FILLED = """
select format('%%I.%%I', nspname, relname) from pg_class join pg_namespace as n on n.oid = relnamespace
where relkind = 'r' and nspname = any(%s) and pg_relation_size(pg_class.oid) > 0
"""
COUNTED = "select format('%%I.%%I', schemaname, sequencename) from pg_sequences where schemaname = any(%s) and last_value is not null"
MODELLED = (
    "select format('%%I.%%I', nspname, relname) from pg_class join pg_namespace as n on n.oid = relnamespace where relkind = '{letter}' and nspname = any(%s)"
)

# Files that take longest, longest first, minutes down to half of one. Workers take whole files (--dist loadfile): were a long one taken
# last, the other worker would have nothing left to do.
LONGEST = (
    "night/test_nights.py",
    "scenarios/test_planted_faults.py",
    "scenarios/test_kill_and_rerun.py",
    "integration/test_admit_late.py",
    "scenarios/test_disturbed_deliveries.py",
    "scenarios/test_outcomes.py",
    "integration/test_link_large_nights.py",
    "scenarios/test_killed_history.py",
    "integration/test_admit_properties.py",
    "integration/test_model_changes.py",
    "integration/test_link_ten_nights.py",
    "integration/test_link_nights.py",
    "scenarios/test_disturbed_files.py",
    "dbt/test_dbt_build.py",
    "integration/test_admit_history.py",
    "integration/test_admit_erasure.py",
    "integration/test_admit_golden.py",
    "integration/test_admit_drift.py",
    "dbt/test_exit_table.py",
    "dbt/test_past_night.py",
    "dbt/test_lineage.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep xdist from bringing the files into an order of its own, by their number of tests."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the others stay in their order, and so do the tests of a file."""
    gone = [name for name in LONGEST if not (TESTS / name).exists()]
    if gone:
        raise pytest.UsageError(f"LONGEST names files that are gone: {', '.join(gone)}")
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def warehouse_db() -> Iterator[Path]:
    """An embedded Postgres with zones and feed tables, in a home of its own; gives that home."""
    from warehouse.database import server
    from warehouse.database.setup import prepare

    server.remove()
    shutil.rmtree(HOME, ignore_errors=True)
    share_the_cache()
    fix_feed_keys()
    prepare()
    spare_the_machine()
    yield HOME
    server.remove()


def share_the_cache() -> None:
    """One cache of what dbt parsed for all workers, and for the next run: parsing takes ten seconds for each slot."""
    cache = (AREA / "cache").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "cache").symlink_to(cache, target_is_directory=True)


def spare_the_machine() -> None:
    """Take out of the server what costs time and no test is about.

    When files reach the disk is left to the operating system: tests crash the server, never the machine, and the server finds what it
    wrote. Passwords are hashed once, not 4096 times, for each of some ten thousand connections.
    """
    from warehouse.database import connect
    from warehouse.database.connect import ROLES, login
    from warehouse.settings import settings

    with connect("admin", autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set scram_iterations = 1")
        connection.execute("select pg_reload_conf()")
        connection.execute("set scram_iterations = 1")
        for role in ROLES:
            connection.execute(f"alter role {login(role)} password '{settings().secret(f'password_{role}')}'")


def fix_feed_keys() -> None:
    """Give each feed the same key in every run of the tests, so that the same rows have the same record keys."""
    from warehouse.contracts.load import feeds

    HOME.mkdir(parents=True, exist_ok=True)
    keys = {f"feed_key_{feed}": hashlib.sha256(feed.encode()).hexdigest() for feed in feeds()}
    (HOME / "secrets.json").write_text(json.dumps(keys), encoding="utf-8")


def wipe() -> None:
    """Remove every stage's rows, the modelled tables, and the files of earlier tests.

    Only what an earlier test filled: to truncate a table costs its files and those of its indexes, and there are hundreds.
    """
    from warehouse.database import connect

    with connect("admin") as connection:
        connection.execute("set local client_min_messages = warning")
        filled = _names(connection, FILLED, STAGE_SCHEMAS)
        if filled:
            connection.execute(f"truncate {', '.join(filled)} cascade")
        for sequence in _names(connection, COUNTED, STAGE_SCHEMAS):
            connection.execute(f"alter sequence {sequence} restart")
        for kind, letter in (("view", "v"), ("table", "r")):
            modelled = _names(connection, MODELLED.format(letter=letter), MODELLED_SCHEMAS)
            if modelled:
                connection.execute(f"drop {kind} {', '.join(modelled)} cascade")
    for folder in ("landing", "work", "reports", "answers"):
        shutil.rmtree(HOME / folder, ignore_errors=True)


def _names(connection: Connection[Any], query: str, schemas: tuple[str, ...]) -> list[str]:
    return [name for (name,) in connection.execute(query, [list(schemas)]).fetchall()]


@pytest.fixture
def wipe_database(warehouse_db: Path) -> Callable[[], None]:
    """A function that empties the database, for tests that need it emptied in their middle."""
    return wipe


@pytest.fixture
def clean_db(warehouse_db: Path) -> Path:
    """The test database, emptied; gives the warehouse's home."""
    wipe()
    return warehouse_db
