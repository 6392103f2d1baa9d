"""Whole nights through Airflow: what is published, who may read it, what the next night changes, and what leaks (nothing)."""

from __future__ import annotations

import csv
import io
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from tests.night.conftest import FIRST, PLANTED, PLANTED_BAD_DATE, SECOND, Nights, status, warehouse

from warehouse.contracts.load import feeds
from warehouse.database import connect

pytestmark = [pytest.mark.integration, pytest.mark.night, pytest.mark.timeout(1500)]

MARTS = {
    "dim_person",
    "fct_treatment_journeys",
    "fct_proven_offences",
    "fct_benefit_spells",
    "fct_employment_spells",
    "fct_accommodation",
    "outcome_recovery",
}


def rows_of(role: str, query: str) -> list[dict[str, Any]]:
    with connect(role) as connection:
        return connection.cursor(row_factory=dict_row).execute(query).fetchall()


def test_the_marts_are_there_and_filled(nights: Nights) -> None:
    for mart in MARTS:
        assert int(rows_of("analyst", f"select count(*) as n from marts.{mart}")[0]["n"]) > 0, mart


def test_status_names_the_live_night_and_every_feed(nights: Nights) -> None:
    found = status()
    assert [row["night"] for row in found["live"]] == [SECOND.isoformat()]
    assert {row["table"] for row in found["marts"]} >= {f"marts.{mart}" for mart in MARTS}
    assert [row["feed"] for row in found["feeds"]] == feeds()


def test_every_received_row_is_accounted_for(nights: Nights) -> None:
    files = rows_of("engineer", "select * from ops.delivery_file f join ops.delivery d using (delivery_id) where status = 'admitted'")
    assert files
    for row in files:
        accounted = sum(int(row[c] or 0) for c in ("rows_admitted", "rows_quarantined", "rows_unchanged", "rows_erased"))
        assert int(row["rows_received"]) == accounted, (row["feed"], row["table_name"])


def test_every_record_has_one_person(nights: Nights) -> None:
    query = f"select count(*) as n, count(distinct record_key) as records from linkage.person_link where certainty = 'balanced' and _valid_from = '{FIRST}'"
    found = rows_of("linker", query)[0]
    assert found["n"] == found["records"]


def test_the_second_night_moves_on(nights: Nights) -> None:
    first, second = nights.states["first"], nights.states["second"]
    assert second["source.police__offences"][0] >= first["source.police__offences"][0]
    assert second["marts.outcome_recovery"] != first["marts.outcome_recovery"]


@pytest.mark.parametrize("role", ["analyst", "bi"])
def test_analysts_and_bi_cannot_read_behind_the_marts(nights: Nights, role: str) -> None:
    behind = ["vault", "quarantine", "source", "linkage", "staging", "intermediate", "marts_blue", "marts_green", "published_blue", "published_green"]
    tables = rows_of("admin", f"select table_schema || '.' || table_name as name from information_schema.tables where table_schema = any(array{behind})")
    assert {table["name"].split(".")[0] for table in tables} == set(behind), "a zone is empty, so trying it would prove nothing"
    for table in tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_of(role, f"select * from {table['name']} limit 1")


def test_a_query_on_the_command_line_answers_as_csv_with_the_roles_own_rights(nights: Nights) -> None:
    done = warehouse("sql", "--as", "analyst", "select count(*) as people from marts.dim_person")
    assert done.returncode == 0, done.stderr
    assert list(csv.DictReader(io.StringIO(done.stdout))) == [{"people": str(rows_of("analyst", "select count(*) as n from marts.dim_person")[0]["n"])}]
    refused = warehouse("sql", "--as", "analyst", "select * from vault.police__nominals")
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr
    assert refused.stdout == ""


def test_the_bi_role_reads_published_and_not_the_marts(nights: Nights) -> None:
    assert rows_of("bi", "select * from published.published_recovery_outcomes")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows_of("bi", "select * from marts.dim_person")


def test_the_transformer_never_sees_identifiers(nights: Nights) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows_of("transformer", "select * from vault.police__nominals")


def test_planted_faults_are_quarantined_under_their_rule(nights: Nights) -> None:
    with (nights.truth / "planted_faults.csv").open(encoding="utf-8") as source:
        planted = [row for row in csv.DictReader(source) if row["night"] == FIRST.isoformat()]
    assert planted
    caught = {
        (row["feed"], row["table_name"], str(row["row_number"]), row["rule"])
        for row in rows_of(
            "steward",
            "select r.feed, r.table_name, r.row_number, unnest(r.rules) as rule from quarantine.refused_row r"
            f" join ops.delivery d using (delivery_id) where d.night = '{FIRST}'",
        )
    }
    warnings = rows_of("engineer", "select table_name, rule from ops.check_result where severity = 'warn' and failed_rows > 0")
    warned = {(row["table_name"], row["rule"]) for row in warnings}
    missed = [row for row in planted if (row["feed"], row["table"], row["row_number"], row["rule"]) not in caught and (row["table"], row["rule"]) not in warned]
    assert missed == []


def test_linkage_is_measured_against_the_truth_beside_its_baseline(nights: Nights) -> None:
    done = warehouse("linkage", "evaluate", "--truth", str(nights.truth), "--date", SECOND.isoformat())
    assert done.returncode == 0, done.stderr
    measured = {name: float(value) for name, value in (line.split(",") for line in done.stdout.splitlines())}
    assert any("precision" in name for name in measured)
    assert any("baseline" in name for name in measured)
    assert all(0 <= value <= 1 for name, value in measured.items() if "precision" in name or "recall" in name)


def everything_written(home: Path) -> dict[str, bytes]:
    """All that the nights wrote outside the zones that hold people's values: logs, reports, work files, Airflow's database, ops and marts."""
    from warehouse.database import server
    from warehouse.link.state import state_folder

    zones = (home / "landing", home / "postgres" / "data", state_folder())
    # The cache lies elsewhere, shared by the workers of the tests.
    paths = [*home.rglob("*"), *(home / "cache").resolve().rglob("*")]
    written = {os.path.relpath(path, home): path.read_bytes() for path in paths if path.is_file() and not any(path.is_relative_to(zone) for zone in zones)}
    dump = server.psql().with_name("pg_dump")
    airflow_db = subprocess.run([dump, server.airflow_url()], capture_output=True, check=True)
    written["database airflow"] = airflow_db.stdout
    open_zones = [f"--schema={zone}" for zone in ("ops", "marts*", "published*", "linkage", "source", "staging", "intermediate", "reference")]
    warehouse_db = subprocess.run([dump, *open_zones, server.admin_url()], capture_output=True, check=True)
    written["database warehouse"] = warehouse_db.stdout
    return written


def test_no_planted_value_is_in_anything_the_nights_wrote(nights: Nights) -> None:
    written = everything_written(nights.home) | {"console output": nights.output.encode()}
    assert any("logs" in name for name in written), "the nights wrote no logs, so the search would prove nothing"
    assert len(written["database airflow"]) > 10_000
    secrets = [value.encode().lower() for value in (*PLANTED.values(), PLANTED_BAD_DATE)]
    leaks = sorted({name for name, content in written.items() for value in secrets if value in content.lower()})
    assert leaks == []


def test_what_the_linker_keeps_of_people_is_its_owners_alone(nights: Nights) -> None:
    from warehouse.link.state import state_folder

    folders = [folder for folder in (state_folder(), *state_folder().rglob("*")) if folder.is_dir()]
    assert len(folders) > 1, "the nights kept nothing, so this would prove nothing"
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}


def test_the_planted_people_are_where_they_belong(nights: Nights) -> None:
    """The search above means nothing unless the planted values really went through the pipeline."""
    found = rows_of("linker", f"select count(*) as n from vault.police__nominals where surname = '{PLANTED['SURNAME']}'")
    assert int(found[0]["n"]) == 1
    refused = rows_of("steward", f"select count(*) as n from quarantine.refused_row where raw::text like '%{PLANTED_BAD_DATE}%'")
    assert int(refused[0]["n"]) == 3


def test_the_report_is_self_contained(nights: Nights) -> None:
    report = (nights.home / "reports" / f"{SECOND}.html").read_text(encoding="utf-8")
    assert len(report) > 20_000
    for load in ('src="http', "src='http", 'href="http', "@import", "url(http"):
        assert load not in report


def test_no_service_is_left_running(nights: Nights) -> None:
    assert not (nights.home / "airflow" / "services" / "running.json").exists()
    assert os.environ["WAREHOUSE_HOME"] == str(nights.home)
