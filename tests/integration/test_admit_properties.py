"""Whatever rows are thrown in, none is lost: each is admitted, quarantined, unchanged or erased; and a replay changes nothing.

Small feeds of each kind of delivery stand for the real ones (`small_feeds/`), so that many files can be thrown at each.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.conftest import wipe
from tests.integration.deliveries import query
from tests.integration.thrown_rows import Thrown, bare, content, files, good_file, rows_in, table_of, value_of

from warehouse.admit import checkpoint, deliveries, stage, withdraw
from warehouse.admit.errors import DeliveryRefused
from warehouse.contracts.load import load_contract
from warehouse.database import connect
from warehouse.receive.stage import receive
from warehouse.settings import settings as warehouse_settings

pytestmark = pytest.mark.integration

SMALL_FEEDS = Path(__file__).parent / "small_feeds"
FIRST = date(2026, 11, 1)
KNOWN_PEOPLE = 20
# The examples named at the tests are of failures found by longer runs.
THROWN = settings(max_examples=3, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def small_feeds(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The small feeds take the place of the real ones."""
    root = tmp_path_factory.mktemp("project")
    expectations = root / "expectations"
    shutil.copytree(SMALL_FEEDS, expectations / "agency")
    general = [line for line in (warehouse_settings().expectations_dir / "thresholds.csv").read_text(encoding="utf-8").splitlines() if line[:2] in ("fe", "*,")]
    (expectations / "thresholds.csv").write_text("\n".join(general), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warehouse_settings(), "project_root", root)
        yield


def send(feed: str, inbox: Path, thrown: Thrown, night: date, name: str = "people") -> int:
    """Take a file as far as it goes; returns the delivery's id."""
    contract = load_contract(feed)
    shutil.rmtree(inbox, ignore_errors=True)
    (inbox / feed).mkdir(parents=True)
    (inbox / feed / table_of(contract).file.replace("*", f"_{name}")).write_bytes(content(contract, thrown))
    delivery_id = receive(feed, inbox, night)
    assert delivery_id is not None
    try:
        stage.load(delivery_id)
        stage.check(delivery_id)
        stage.admit(delivery_id)
    except DeliveryRefused:
        assert status(delivery_id) == "refused"
    return delivery_id


def status(delivery_id: int) -> str:
    ((found,),) = query("select status from ops.delivery where delivery_id = %s", delivery_id)
    return str(found)


def zones(feed: str) -> dict[str, list[Any]]:
    """Everything the feed has in source zone, vault and quarantine."""
    relation = table_of(load_contract(feed)).relation
    found = {zone: query(f"select to_jsonb(t)::text from {zone}.{relation} as t order by 1") for zone in ("source", "vault")}
    return found | {"quarantine": query("select delivery_id, row_number, rules, raw::text from quarantine.refused_row where feed = %s order by 1, 2", feed)}


def current(feed: str) -> dict[str, str | None]:
    """The note of each current row, by row key."""
    return dict(query(f"select row_key::text, note from source.{table_of(load_contract(feed)).relation} where _valid_to is null"))


def typed_rows(feed: str, delivery_id: int) -> list[tuple[int, str, bool, bool]]:
    """Number, row key, withheld and deleted of each well-formed row of the delivery."""
    contract = load_contract(feed)
    with connect("loader") as connection:
        checkpoint.build(deliveries.find(delivery_id, connection), contract)
    path = checkpoint.rows(delivery_id, table_of(contract).name)
    found: list[tuple[int, str, bool, bool]] = duckdb.sql(f"select _row_number, row_key::varchar, _withheld, _deleted from read_parquet('{path}')").fetchall()
    return found


def assert_every_row_is_accounted_for(feed: str, delivery_id: int, thrown: Thrown) -> None:
    contract = load_contract(feed)
    rows = rows_in(contract, thrown)
    quarantined = dict(query("select row_number, rules from quarantine.refused_row where delivery_id = %s", delivery_id))
    raw = dict(query("select row_number, raw from quarantine.refused_row where delivery_id = %s and rules = '{malformed_row}'", delivery_id))
    ((received, *parts),) = query(
        "select rows_received, rows_admitted, rows_quarantined, rows_unchanged, rows_erased from ops.delivery_file where delivery_id = %s", delivery_id
    )
    assert received == sum(parts) == len(rows)
    assert parts[1] == len(quarantined)
    typed = typed_rows(feed, delivery_id)
    assert sorted([number for number, *_ in typed] + list(raw)) == list(range(1, len(rows) + 1))
    delimiter = contract.format.delimiter
    assert {number: bare(document["fields"], delimiter) for number, document in raw.items()} == {number: bare(rows[number - 1], delimiter) for number in raw}
    notes = current(feed)
    for number, row_key, withheld, deleted in typed:
        if number in quarantined:
            continue
        assert (row_key in notes) == (not deleted)
        if not withheld and not deleted:
            assert notes[row_key] == value_of(rows[number - 1][-1], contract.format.null_tokens)


def throw(feed: str, inbox: Path, thrown: Thrown) -> None:
    """Throw a file at a feed that knows a few people, and see that nothing is lost and that replays change nothing."""
    wipe()
    contract = load_contract(feed)
    first = send(feed, inbox, good_file(contract, KNOWN_PEOPLE), FIRST)
    assert status(first) == "admitted"
    before = zones(feed)
    delivery_id = send(feed, inbox, thrown, FIRST + timedelta(days=1))
    if status(delivery_id) == "refused":
        assert zones(feed) == before
        return
    assert_every_row_is_accounted_for(feed, delivery_id, thrown)
    after = zones(feed)
    for again in (delivery_id, first):
        withdraw.redo(again)
        assert zones(feed) == after
    again_the_same = send(feed, inbox, thrown, FIRST + timedelta(days=2))
    # A file of changes without a row says another thing each night: that nothing changed up to it.
    assert status(again_the_same) == "duplicate" or not rows_in(contract, thrown)
    assert zones(feed) == after
    send(feed, inbox, thrown, FIRST + timedelta(days=2), name="again")
    for zone in ("source", "vault"):
        assert zones(feed)[zone] == after[zone]


@THROWN
@given(thrown=st.deferred(lambda: files(load_contract("register"))))
@example(thrown=Thrown([]))
@example(thrown=Thrown(["P0,1,Y,Torn, off,01/02/1980,A,3,", '"a,b|c"', ""]))
@example(thrown=Thrown(['P1,1,Y,Sample1,01/02/1980,A,3,"-'], is_ended=False))
def test_a_snapshot_loses_no_row_whatever_is_thrown_in(tmp_path_factory: pytest.TempPathFactory, thrown: Thrown) -> None:
    throw("register", tmp_path_factory.mktemp("thrown"), thrown)


@THROWN
@given(thrown=st.deferred(lambda: files(load_contract("reports"))))
@example(thrown=Thrown([]))
@example(thrown=Thrown(["I|P0|1|Torn| off|1980-02-01|A|3|", '"a,b|c"', ""]))
@example(thrown=Thrown(['I|P1|1|Sample1|1980-02-01|A|3|"-'], is_ended=False))
def test_changes_lose_no_row_whatever_is_thrown_in(tmp_path_factory: pytest.TempPathFactory, thrown: Thrown) -> None:
    throw("reports", tmp_path_factory.mktemp("thrown"), thrown)


@THROWN
@given(thrown=st.deferred(lambda: files(load_contract("movements"))))
@example(thrown=Thrown([]))
@example(thrown=Thrown(["P0,1,Torn, off,1980-02-01,A,3,", '"a,b|c"', ""]))
@example(thrown=Thrown(['P1,1,Sample1,1980-02-01,A,3,"-'], is_ended=False))
def test_events_lose_no_row_whatever_is_thrown_in(tmp_path_factory: pytest.TempPathFactory, thrown: Thrown) -> None:
    throw("movements", tmp_path_factory.mktemp("thrown"), thrown)
