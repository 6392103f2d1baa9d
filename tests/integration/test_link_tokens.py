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
from warehouse.link import stage
from warehouse.link.models import policy
from warehouse.link.score import OUTPUTS
from warehouse.link.tokens.contract import token_contract
from warehouse.link.tokens.files import tokenise
from warehouse.link.tokens.night import delivers_tokens, score_vault
from warehouse.link.workspace import duckdb_session, night_folder, quoted
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
    scored = night_folder(NIGHT)
    scored.mkdir(parents=True)
    with duckdb_session(tmp_path / "spill") as session:
        counts = score_vault(session, contracts, NIGHT, tmp_path, policy())
        for name, query_of_output in OUTPUTS.items():
            session.execute(f"copy ({query_of_output}) to {quoted(scored / f'{name}.parquet')} (format parquet)").fetchall()
    assert stage.resolve(NIGHT)["records"] == counts["records"]

    with (admitted / "truth" / "records.csv").open(encoding="utf-8") as stream:
        person_of = {(row["feed"], row["agency_record_id"]): row["true_person_id"] for row in csv.DictReader(stream)}
    ids = {key: ("police", nominal) for key, nominal in query("select distinct record_key, nominal_id from vault.hashed_police__nominals")}
    ids |= {key: ("treatment", client) for key, client in query("select distinct record_key, agncy || '|' || clientid from vault.hashed_treatment__ndtms")}
    assert counts["records"] == len(ids)
    linked = query(
        "select l.record_key, r.record_key from linkage.person_link as l inner join linkage.person_link as r using (person_id, certainty)"
        " where certainty = 'balanced' and l.record_key < r.record_key"
    )
    right = sum(person_of[ids[left]] == person_of[ids[right]] for left, right in linked)
    assert len(linked) > 25
    assert right / len(linked) > 0.95
