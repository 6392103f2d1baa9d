"""A warehouse whose feeds deliver tokens: admitted by the contract that the tool wrote, linked without a clear identifier in it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from tests.conftest import wipe
from tests.integration.deliveries import query

from warehouse.admit import stage as admission
from warehouse.contracts.load import all_contracts, load_contract
from warehouse.database import connect
from warehouse.link.models import policy
from warehouse.link.tokens.contract import token_contract
from warehouse.link.tokens.files import tokenise
from warehouse.link.tokens.night import delivers_tokens, score_vault
from warehouse.link.workspace import duckdb_session
from warehouse.receive.stage import receive
from warehouse.settings import settings
from warehouse.synth.generate import generate

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
KEY = bytes(range(32))
FEEDS = ("police", "treatment")
PEOPLE = 1_000


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the agencies hold in clear (`inbox`), and what they deliver (`delivered`)."""
    folder = tmp_path_factory.mktemp("tokens")
    generate(folder, PEOPLE, 1, 3, first_night=NIGHT)
    for feed in FEEDS:
        tokenise(load_contract(feed), folder / "inbox" / NIGHT.isoformat() / feed, folder / "delivered" / f"hashed_{feed}", KEY, NIGHT)
    return folder


@pytest.fixture(scope="module")
def admitted(warehouse_db: Path, population: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Feeds of tokens take the place of the real ones, and their first night is admitted; gives the population's folder."""
    wipe()
    expectations = tmp_path_factory.mktemp("project") / "expectations"
    (expectations / "agency").mkdir(parents=True)
    shutil.copy(settings().expectations_dir / "thresholds.csv", expectations)
    for feed in FEEDS:
        values = token_contract(load_contract(feed)) | {"feed": f"hashed_{feed}"}
        (expectations / "agency" / f"hashed_{feed}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "project_root", expectations.parent)
        contracts = all_contracts()
        for contract in contracts:
            delivery = receive(contract.feed, population / "delivered", NIGHT)
            assert delivery is not None
            admission.load(delivery)
            admission.check(delivery)
            admission.admit(delivery)
        yield population
    wipe()
    with connect("admin") as connection:
        for table in [table for contract in contracts for table in contract.tables.values()]:
            connection.execute(f"drop table if exists vault.{table.relation}, source.{table.relation} cascade")


def test_the_vault_holds_tokens_only(admitted: Path) -> None:
    assert query("select distinct status from ops.delivery") == [("admitted",)]
    ((held,),) = query("select string_agg(n::text, ' ') from vault.hashed_police__nominals as n")
    with next((admitted / "inbox" / NIGHT.isoformat() / "police").glob("nominals*")).open(encoding="utf-8") as stream:
        clear = {row[column] for row in csv.DictReader(stream) for column in ("FORENAME", "SURNAME", "PNC_ID", "DOB") if len(row[column]) > 4}
    assert clear
    assert not [value for value in clear if value.lower() in held.lower()]
    assert query("select count(*) from vault.hashed_police__nominals where joint_token is not null") > [(300,)]


def test_records_are_linked_by_tokens(admitted: Path, tmp_path: Path) -> None:
    contracts = all_contracts()
    assert delivers_tokens(contracts)
    with duckdb_session(tmp_path / "spill") as session:
        counts = score_vault(session, contracts, NIGHT, tmp_path, policy())
        linked = session.execute(
            """
            select l.record_key::varchar, r.record_key::varchar
            from edge as e inner join record as l on l.record_no = e.record_l inner join record as r on r.record_no = e.record_r where e.links
            """
        ).fetchall()
    assert (
        counts["records"]
        == query("select count(distinct record_key) from vault.hashed_police__nominals")[0][0]
        + query("select count(distinct record_key) from vault.hashed_treatment__ndtms")[0][0]
    )
    with (admitted / "truth" / "records.csv").open(encoding="utf-8") as stream:
        person_of = {(row["feed"], row["agency_record_id"]): row["true_person_id"] for row in csv.DictReader(stream)}
    ids = {key: ("police", nominal) for key, nominal in query("select distinct record_key::text, nominal_id from vault.hashed_police__nominals")}
    ids |= {
        key: ("treatment", client) for key, client in query("select distinct record_key::text, agncy || '|' || clientid from vault.hashed_treatment__ndtms")
    }
    right = sum(person_of[ids[left]] == person_of[ids[right]] for left, right in linked)
    assert len(linked) > 25
    assert right / len(linked) > 0.95
