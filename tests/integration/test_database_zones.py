"""The zones: made again without harm, closed to roles that have no business in them, and errors that repeat no value."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import psycopg
import pytest

from warehouse.database import DatabaseFault, clean_errors, connect, ops, server, zones

pytestmark = pytest.mark.integration
NIGHT = date(2026, 11, 1)
FEED_ZONES = ("landing", "quarantine", "vault", "source")

# Role and the schemas it may use. What is not here must be closed.
MAY_USE = {
    "loader": {"landing", "quarantine", "vault", "source", "reference", "ops"},
    # Of linkage, the pairs drawn for clerical review alone: see test_link_review.
    "steward": {"quarantine", "linkage", "reference", "ops"},
    "linker": {"vault", "linkage", "reference", "ops"},
    "analyst": {"marts", "published", "reference", "ops"},
    "bi": {"published", "reference"},
    "engineer": {"reference", "ops"},
}


@pytest.mark.parametrize("role", MAY_USE)
def test_a_role_may_use_its_zones_and_no_others(warehouse_db: Path, role: str) -> None:
    with connect("admin") as connection:
        rows = connection.execute(
            "select nspname, has_schema_privilege(%s, oid, 'usage') from pg_namespace where nspname !~ '^(pg_|information_schema|public)'",
            [f"wh_{role}"],
        ).fetchall()
    assert {name for name, allowed in rows if allowed} == MAY_USE[role]


def test_the_transformer_reads_links_but_nothing_else_of_linkage(warehouse_db: Path) -> None:
    with connect("transformer") as connection:
        connection.execute("select count(*) from linkage.person_link")
    with pytest.raises(DatabaseFault, match="42501"), clean_errors("read edges"), connect("transformer") as connection:
        connection.execute("select count(*) from linkage.edge")


def test_the_steward_reads_no_link_and_no_identifier_of_linkage(warehouse_db: Path) -> None:
    for table in ("person_link", "edge", "person", "person_event"):
        with pytest.raises(DatabaseFault, match="42501"), clean_errors("read"), connect("steward") as connection:
            connection.execute(f"select count(*) from linkage.{table}")


def test_zones_can_be_made_again_without_losing_rows(clean_db: Path) -> None:
    with ops.stage_run(NIGHT, "link") as run:
        run.count("persons", 5)
    zones.apply()
    with connect("engineer") as connection:
        assert connection.execute("select counts from ops.stage_run").fetchall() == [({"persons": 5},)]


def test_a_failed_stage_is_recorded_without_the_message_of_a_foreign_error(clean_db: Path) -> None:
    with pytest.raises(ValueError, match="secret"), ops.stage_run(NIGHT, "link"):
        raise ValueError("a secret value")
    with connect("engineer") as connection:
        assert connection.execute("select status, error from ops.stage_run").fetchall() == [("failed", "ValueError")]


def test_errors_name_the_constraint_and_repeat_no_value(clean_db: Path) -> None:
    with connect("loader") as connection:
        connection.execute("insert into ops.delivery (feed, night, content_hash) values ('police', %s, 'SECRETVALUE')", [NIGHT])
    with pytest.raises(DatabaseFault) as fault, clean_errors("register the delivery"), connect("loader") as connection:
        connection.execute("insert into ops.delivery (feed, night, content_hash) values ('police', %s, 'SECRETVALUE')", [NIGHT])
    assert "delivery_content" in str(fault.value)
    assert "23505" in str(fault.value)
    assert "SECRETVALUE" not in str(fault.value)
    assert fault.value.__cause__ is None


def test_the_server_log_repeats_no_value(warehouse_db: Path) -> None:
    with pytest.raises(psycopg.Error), connect("loader") as connection:
        connection.execute("select 'SECRETLOGVALUE'::date")
    log = Path(server.data_folder()).parent / "server.log"
    assert log.exists()
    assert "SECRETLOGVALUE" not in log.read_text(encoding="utf-8")


def test_starting_twice_is_harmless(warehouse_db: Path) -> None:
    before = server.admin_url()
    server.start()
    assert server.admin_url() == before
