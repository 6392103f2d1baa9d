"""Every step can be run again and killed at any moment: the end is that of an undisturbed run."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wipe
from tests.integration.deliveries import NIGHTS, deliver, golden_inbox, query, zone_contents

from warehouse.admit import checkpoint, deliveries, history, stage
from warehouse.admit.errors import AdmitFault
from warehouse.contracts.load import load_contract
from warehouse.database import connect
from warehouse.receive.stage import receive

pytestmark = pytest.mark.integration

# One feed of snapshots and one of changes.
FEEDS = ["treatment", "benefits"]


@pytest.fixture(scope="module")
def undisturbed(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[Any]]]:
    """What two golden nights of each feed give when nothing goes wrong."""
    contents = {}
    for feed in FEEDS:
        wipe()
        for night in ("night_1", "night_2"):
            deliver(feed, golden_inbox(tmp_path_factory.mktemp(feed), feed, night), night)
        contents[feed] = zone_contents(feed)
    return contents


@pytest.mark.parametrize("feed", FEEDS)
def test_every_step_twice(feed: str, undisturbed: dict[str, Any], clean_db: Path, tmp_path: Path) -> None:
    for night in ("night_1", "night_2"):
        inbox = golden_inbox(tmp_path, feed, night)
        delivery_id = receive(feed, inbox, NIGHTS[night])
        assert delivery_id is not None and receive(feed, inbox, NIGHTS[night]) == delivery_id
        assert stage.load(delivery_id) == stage.load(delivery_id)
        assert stage.check(delivery_id) == stage.check(delivery_id)
        assert stage.load(delivery_id)["received"] > 0  # back to the first step: admit checks again
        assert stage.admit(delivery_id)["received"] > 0
        assert stage.admit(delivery_id) == stage.load(delivery_id) == stage.check(delivery_id) == {}
    assert zone_contents(feed) == undisturbed[feed]


def test_a_delivery_loaded_again_between_check_and_admission_is_checked_again(
    undisturbed: dict[str, Any], clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slower run of the same delivery does its load when a faster one is about to admit: what the check found must not be lost."""
    make_ready, slower = history.make_ready, iter([stage.load])

    def slowly(delivery: Any, *rest: Any) -> Any:
        for load in slower:
            load(delivery.delivery_id)
        return make_ready(delivery, *rest)

    monkeypatch.setattr(history, "make_ready", slowly)
    for night in ("night_1", "night_2"):
        deliver("benefits", golden_inbox(tmp_path, "benefits", night), night)
    assert zone_contents("benefits") == undisturbed["benefits"]
    assert query("select count(*) from ops.check_result r join ops.delivery d using (delivery_id) where d.night = %s", NIGHTS["night_1"])[0][0] > 10


def test_a_checkpoint_that_is_lost_or_was_never_finished_is_made_again(undisturbed: dict[str, Any], clean_db: Path, tmp_path: Path) -> None:
    for night in ("night_1", "night_2"):
        delivery_id = receive("benefits", golden_inbox(tmp_path, "benefits", night), NIGHTS[night])
        assert delivery_id is not None
        left_by_a_killed_run = checkpoint.folder(delivery_id).with_name(f".unfinished-{delivery_id}")
        left_by_a_killed_run.mkdir(parents=True)
        (left_by_a_killed_run / "claimants.raw.parquet").write_bytes(b"half of")
        stage.load(delivery_id)
        assert not left_by_a_killed_run.exists()
        checkpoint.remove(delivery_id)
        stage.check(delivery_id)
        checkpoint.remove(delivery_id)
        stage.admit(delivery_id)
    assert zone_contents("benefits") == undisturbed["benefits"]


def test_a_checkpoint_is_made_again_when_contract_or_files_changed(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = receive("police", golden_inbox(tmp_path, "police", "night_1"), NIGHTS["night_1"])
    assert delivery_id is not None
    contract = load_contract("police")
    with connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
    first = checkpoint.build(delivery, contract)
    built_at = (checkpoint.folder(delivery_id) / "facts.json").stat().st_mtime_ns
    assert checkpoint.build(delivery, contract) == first
    assert (checkpoint.folder(delivery_id) / "facts.json").stat().st_mtime_ns == built_at

    changed = contract.model_copy(update={"code_lists": contract.code_lists | {"sex": {"M": "Male"}}})
    assert not checkpoint.is_whole(delivery, changed)
    assert checkpoint.build(delivery, changed).tables["nominals"].refused > first.tables["nominals"].refused

    landed = delivery.folder / first.tables["nominals"].file_name
    landed.write_text("".join(landed.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    assert not checkpoint.is_whole(delivery, changed)
    assert checkpoint.build(delivery, contract).tables["nominals"].received == first.tables["nominals"].received - 1


def test_a_checkpoint_is_for_its_owner_alone_and_leaves_no_work_files(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = receive("police", golden_inbox(tmp_path, "police", "night_1"), NIGHTS["night_1"])
    assert delivery_id is not None
    stage.load(delivery_id)
    folder = checkpoint.folder(delivery_id)
    assert folder.stat().st_mode & 0o777 == 0o700 and folder.parent.stat().st_mode & 0o777 == 0o700
    kinds = ("rows", "violations", "refused", "repeated")
    expected = {f"{table}.{kind}.parquet" for table in load_contract("police").tables for kind in kinds} | {"facts.json"}
    assert {path.name for path in folder.iterdir()} - {"spill"} == expected


@contextmanager
def locked(relation: str) -> Iterator[None]:
    """Hold a table so that whoever wants it waits."""
    with connect("admin") as connection:
        connection.execute(f"lock table {relation} in access exclusive mode")
        yield
        connection.rollback()


def start(code: str) -> subprocess.Popen[bytes]:
    """Run code in a process of its own, with this process's settings."""
    return subprocess.Popen([sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until_blocked(relation: str) -> None:
    for _ in range(600):
        if query("select count(*) from pg_locks where not granted and relation = %s::regclass", relation) != [(0,)]:
            return
        time.sleep(0.1)
    raise AssertionError(f"Nothing waits for {relation}")


# Where each step is stopped: a table that it needs in its middle. The vault's turn comes when the source zone is written.
@pytest.mark.parametrize(
    ("feed", "step", "held"),
    [
        ("benefits", "load", "ops.delivery_file"),
        ("benefits", "check", "ops.check_result"),
        ("benefits", "admit", "quarantine.refused_row"),
        ("benefits", "admit", "vault.benefits__claimants"),
        ("treatment", "admit", "vault.treatment__ndtms"),
        ("treatment", "admit", "ops.delivery_file"),
    ],
)
def test_killed_in_the_middle(feed: str, step: str, held: str, undisturbed: dict[str, Any], clean_db: Path, tmp_path: Path) -> None:
    deliver(feed, golden_inbox(tmp_path, feed, "night_1"), "night_1")
    before = zone_contents(feed)
    delivery_id = receive(feed, golden_inbox(tmp_path, feed, "night_2"), NIGHTS["night_2"])
    assert delivery_id is not None
    for earlier in ("load", "check")[: ("load", "check", "admit").index(step)]:
        getattr(stage, earlier)(delivery_id)
    with locked(held):
        process = start(f"from warehouse.admit import stage; stage.{step}({delivery_id})")
        try:
            wait_until_blocked(held)
        finally:
            process.kill()
            process.wait()
    after = zone_contents(feed)
    assert [after[zone] for zone in before if zone not in ("deliveries", "checks")] == [before[zone] for zone in before if zone not in ("deliveries", "checks")]
    stage.load(delivery_id)
    stage.check(delivery_id)
    stage.admit(delivery_id)
    assert zone_contents(feed) == undisturbed[feed]


def test_a_killed_receive_leaves_nothing_registered(clean_db: Path, tmp_path: Path) -> None:
    inbox = golden_inbox(tmp_path, "police", "night_1")
    with locked("ops.delivery_file"):
        process = start(
            f"from datetime import date; from pathlib import Path; from warehouse.receive.stage import receive\n"
            f"receive('police', Path({str(inbox)!r}), date({NIGHTS['night_1'].year}, {NIGHTS['night_1'].month}, {NIGHTS['night_1'].day}))"
        )
        try:
            wait_until_blocked("ops.delivery_file")
        finally:
            process.kill()
            process.wait()
    assert query("select count(*) from ops.delivery") == [(0,)]
    assert query("select status from ops.delivery where delivery_id = %s", deliver("police", inbox, "night_1")) == [("admitted",)]


def test_two_deliveries_of_a_feed_in_turn_do_not_mix(clean_db: Path, tmp_path: Path) -> None:
    first = receive("police", golden_inbox(tmp_path, "police", "night_1"), NIGHTS["night_1"])
    second = receive("police", golden_inbox(tmp_path, "police", "night_2"), NIGHTS["night_2"])
    assert first is not None and second is not None
    stage.load(first)
    stage.load(second)
    stage.check(first)
    stage.admit(first)
    stage.admit(second)
    assert query("select delivery_id, status from ops.delivery order by 1") == [(first, "admitted"), (second, "admitted")]
    assert query("select count(*) from source.police__nominals where _valid_to is null") == [(4,)]


def test_rows_that_do_not_add_up_admit_nothing(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery_id = receive("police", golden_inbox(tmp_path, "police", "night_1"), NIGHTS["night_1"])
    assert delivery_id is not None
    stage.load(delivery_id)
    stage.check(delivery_id)
    known = checkpoint.facts(delivery_id)
    one_too_many = {name: replace(table, received=table.received + 1) for name, table in known.tables.items()}
    monkeypatch.setattr(checkpoint, "facts", lambda _: replace(known, tables=one_too_many))
    with pytest.raises(AdmitFault, match="do not make the whole; nothing of the delivery is admitted"):
        stage.admit(delivery_id)
    assert query("select status from ops.delivery") == [("checked",)]
    assert query("select count(*) from source.police__nominals") == [(0,)]


def test_the_night_is_a_parameter_and_never_the_clock(clean_db: Path, tmp_path: Path) -> None:
    inbox = golden_inbox(tmp_path, "police", "night_1")
    for path in (inbox / "police").iterdir():
        path.rename(path.with_name(path.name.replace("_20261101", "")))  # a night in the name would count for more
    delivery_id = receive("police", inbox, date(2031, 5, 6))
    assert delivery_id is not None
    stage.admit(delivery_id)
    assert query("select distinct _valid_from from source.police__nominals") == [(date(2031, 5, 6),)]
