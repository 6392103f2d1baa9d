"""Whole nights of linkage on a small synthetic population: links, reruns, a second night, a kill, and nothing left behind."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from tests.conftest import wipe
from tests.integration.deliveries import pass_checks

from warehouse.admit import stage as admission
from warehouse.contracts.load import feeds, load_contract
from warehouse.database import connect
from warehouse.link import stage
from warehouse.link.errors import LinkageFault
from warehouse.link.evaluate import evaluate
from warehouse.link.forget import forget
from warehouse.link.state import state_folder
from warehouse.link.workspace import night_folder
from warehouse.receive.stage import receive
from warehouse.synth.generate import generate

pytestmark = pytest.mark.integration

FIRST = date(2026, 11, 1)
SECOND = FIRST + timedelta(days=1)
PEOPLE = 2_000
ROOT = Path(__file__).parents[2]
RESOLVE = "from datetime import date; from warehouse.link import stage; stage.resolve(date(2026, 11, 2))"

State = dict[str, list[tuple[object, ...]]]


def admit_night(inbox: Path, night: date) -> None:
    for feed in feeds():
        delivery = receive(feed, inbox / night.isoformat(), night)
        if delivery is None:
            assert load_contract(feed).delivery.cadence != "daily"
            continue
        pass_checks(delivery)
        admission.admit(delivery)


def state() -> State:
    """Everything that linkage wrote, ids included."""
    with connect("linker") as connection:
        return {
            table: sorted(connection.execute(f"select {table.split('.')[1]}::text from {table}").fetchall())
            for table in ("linkage.person", "linkage.person_link", "linkage.person_event", "linkage.edge")
        } | {"metric": connection.execute("select * from ops.linkage_metric where not starts_with(metric, 'truth_') order by 1, 2, 3, 4").fetchall()}


def metrics(night: date) -> dict[tuple[str, str, str], float]:
    with connect("engineer") as connection:
        rows = connection.execute("select metric, feed_a, feed_b, value from ops.linkage_metric where night = %s", [night]).fetchall()
    return {(metric, a, b): value for metric, a, b, value in rows}


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("link")
    generate(folder, PEOPLE, 2, 3, first_night=FIRST)
    return folder


@pytest.fixture(scope="module")
def linked(warehouse_db: Path, population: Path) -> Iterator[Path]:
    """The first night, admitted and linked; gives the population's folder."""
    wipe()
    admit_night(population / "inbox", FIRST)
    stage.link(FIRST)
    yield population
    wipe()


def test_every_record_has_one_person(linked: Path) -> None:
    found = metrics(FIRST)
    with connect("linker") as connection:
        row = connection.execute(
            "select count(*), count(distinct record_key), count(distinct person_id) from linkage.person_link where _valid_to is null and certainty = 'balanced'"
        ).fetchone()
    assert row is not None
    records, keys, people = row
    assert records == keys == sum(value for (metric, _, _), value in found.items() if metric == "records")
    assert people == found["persons_total", "", ""] < records
    assert found["persons_in_both", "benefits", "police"] > 0
    assert found["persons_in_both", "police", "treatment"] > 0


def test_links_are_right_and_the_baseline_stands_beside_them(linked: Path) -> None:
    measured = evaluate(FIRST, linked / "truth")
    assert measured["named_pair_precision"] > 0.99
    assert measured["named_pair_recall"] > 0.9
    assert measured["client_to_person_precision"] > 0.95
    assert measured["named_pair_recall"] > measured["baseline_named_pair_recall"]
    assert metrics(FIRST)["truth_named_pair_precision", "", ""] == pytest.approx(measured["named_pair_precision"])


def test_the_night_again_changes_nothing(linked: Path) -> None:
    before = state()
    stage.link(FIRST)
    assert state() == before


def test_what_scoring_leaves_behind_holds_keys_and_numbers_alone(linked: Path) -> None:
    folder = night_folder(FIRST)
    left = sorted(path.name for path in folder.iterdir())
    assert left == [f"{name}.parquet" for name in ("conflict", "edge", "metric", "record")]
    columns = duckdb.sql(f"select distinct name from parquet_schema('{folder}/*.parquet')").fetchall()
    allowed = {"record_no", "record_key", "feed", "is_named", "record_l", "record_r", "model", "match_weight", "match_probability", "match_key", "level"}
    assert {name for (name,) in columns} <= allowed | {"links", "metric", "feed_a", "feed_b", "value", "duckdb_schema"}


def test_no_name_reaches_the_log_or_the_screen(linked: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    stage.score(FIRST)
    shown = capfd.readouterr()
    assert shown.out == shown.err == ""
    assert [record.name for record in caplog.records if record.name.startswith("splink")] == []


def test_resolving_what_was_not_scored_says_so(linked: Path) -> None:
    with pytest.raises(LinkageFault, match="has not been scored"):
        stage.resolve(date(2026, 12, 24))


def test_the_second_night_killed_in_its_middle_ends_as_if_it_had_not_been(linked: Path) -> None:
    first = state()
    admit_night(linked / "inbox", SECOND)
    counts = stage.score(SECOND)
    assert counts["is_full"] == 0
    assert 0 < counts["changed_records"] < counts["records"] / 4
    with connect("admin") as holder:
        holder.execute("lock table linkage.edge in share mode")
        process = subprocess.Popen([sys.executable, "-c", RESOLVE], env=os.environ | {"PYTHONPATH": str(ROOT / "plugins")}, start_new_session=True)
        try:
            _wait_until_blocked("linkage.edge", process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        holder.rollback()
    assert state() == first, "a killed run left something behind"

    stage.resolve(SECOND)
    found = state()
    assert found != first
    old = set(first["linkage.person"])
    assert old <= set(found["linkage.person"]), "ids of the first night are still known"
    stage.link(SECOND)
    assert state() == found


def test_most_records_keep_their_person_over_night(linked: Path) -> None:
    with connect("linker") as connection:
        row = connection.execute(
            "select count(*), count(*) filter (where _valid_to is null) from linkage.person_link where _valid_from = %s and certainty = 'balanced'", [FIRST]
        ).fetchone()
    assert row is not None
    assert row[1] / row[0] > 0.98


def alone(count: int, others: int) -> list[str]:
    """Records of the benefits feed whose person has `others` other records, all of other feeds."""
    with connect("linker") as connection:
        rows = connection.execute(
            """
            select (array_agg(record_key) filter (where feed = 'benefits'))[1]::text
            from linkage.person_link where _valid_to is null and certainty = 'balanced'
            group by person_id
            having count(*) = %s and count(*) filter (where feed = 'benefits') = 1
            order by 1 limit %s
            """,
            [others + 1, count],
        ).fetchall()
    return [record for (record,) in rows]


def correct(record: str, like: str, night: date) -> None:
    """As the benefits agency would: from this night on, what it says of one record is what it said of another."""
    with connect("admin") as connection:
        connection.execute("create temp table fresh as select * from vault.benefits__claimants where record_key = %s and _valid_to is null", [like])
        connection.execute("update fresh set record_key = %s, _valid_from = %s", [record, night])
        connection.execute("update vault.benefits__claimants set _valid_to = %s where record_key = %s and _valid_to is null", [night, record])
        connection.execute("insert into vault.benefits__claimants select * from fresh")


def test_corrections_merge_people_and_move_records(linked: Path) -> None:
    third = SECOND + timedelta(days=1)
    by_itself, target = alone(2, others=0)
    (with_others,) = alone(1, others=2)
    joined, left = set(persons_of(by_itself, target)), persons_of(with_others)[0]
    correct(by_itself, like=target, night=third)
    correct(with_others, like=target, night=third)
    counts = stage.link(third)
    assert (counts["created"], counts["merged"], counts["split"], counts["retired"]) == (0, 1, 0, 0)
    (survivor,) = set(persons_of(by_itself, target, with_others))
    assert survivor in joined
    with connect("linker") as connection:
        merged = connection.execute(
            "select person_id, other_person_id from linkage.person_event where night = %s and event = 'merged' and certainty = 'balanced'", [third]
        ).fetchall()
        kept = connection.execute("select count(*) from linkage.person_link where person_id = %s and _valid_to is null", [left]).fetchone()
    assert merged == [((joined - {survivor}).pop(), survivor)]
    assert kept == (2,), "the records it left behind keep their id"
    before = state()
    stage.link(third)
    assert state() == before


def test_a_correction_splits_a_person(linked: Path) -> None:
    fourth = SECOND + timedelta(days=2)
    (record,) = alone(1, others=1)
    whole = persons_of(record)
    correct(record, like=record, night=fourth)
    with connect("admin") as connection:
        connection.execute(
            "update vault.benefits__claimants set nino = null, forename = 'Perpetua', surname = 'Quillfeather', dob = '1951-02-27',"
            " postcode = null, previous_postcode = null, previous_surname = null where record_key = %s and _valid_to is null",
            [record],
        )
    counts = stage.link(fourth)
    assert (counts["created"], counts["merged"], counts["split"], counts["retired"]) == (0, 0, 1, 0)
    with connect("linker") as connection:
        now = connection.execute("select person_id from linkage.person_link where _valid_from = %s and certainty = 'balanced'", [fourth]).fetchall()
        event = connection.execute(
            "select person_id, other_person_id from linkage.person_event where night = %s and certainty = 'balanced'", [fourth]
        ).fetchall()
    assert event == [(now[0][0], whole[0])]


FIFTH = SECOND + timedelta(days=3)


def joining_edges() -> set[tuple[object, ...]]:
    """The scored edges of the fifth night that join records at the balanced certainty, by record keys."""
    folder = night_folder(FIFTH)
    return set(
        duckdb.sql(
            f"""
            select least(l.record_key, r.record_key), greatest(l.record_key, r.record_key)
            from '{folder}/edge.parquet' as e
            inner join '{folder}/record.parquet' as l on l.record_no = e.record_l inner join '{folder}/record.parquet' as r on r.record_no = e.record_r
            where e.level <= 2
            """
        ).fetchall()
    )


def test_after_four_nights_of_changes_it_ends_where_a_full_night_does(linked: Path) -> None:
    counts = stage.score(FIFTH)
    assert counts["is_full"] == 0
    assert 3 <= counts["changed_records"] < counts["records"] / 20, "all that changed since the first night, whose state still serves"
    found = joining_edges()
    shutil.rmtree(state_folder())
    assert stage.score(FIFTH)["is_full"] == 1
    everything = joining_edges()
    # The difference is what term frequencies have moved since the first night, in a population of 2,000 people.
    assert len(found ^ everything) < 0.005 * len(everything)


def test_an_erasure_takes_its_records_out_of_what_was_kept_and_nothing_else(linked: Path) -> None:
    """Run between two nights: the next one is no full one for it."""
    (record,) = alone(1, others=0)
    with connect("admin") as connection:
        connection.execute("delete from vault.benefits__claimants where record_key = %s", [record])
        row = connection.execute(
            "insert into ops.erasure (feed, record_key, reason, requested_on, requested_by)"
            " values ('benefits', %s, 'erasure request', %s, 'somebody') returning erasure_id",
            [record, FIFTH],
        ).fetchone()
    assert row is not None
    forget([row[0]])
    kept = [path for folder in (state_folder(), night_folder(FIFTH).parent / "standing") for path in folder.rglob("*.parquet")]
    assert kept
    assert not [path.name for path in kept if record in str(duckdb.sql(f"from '{path}'").fetchall())]
    counts = stage.link(FIFTH + timedelta(days=1))
    assert (counts["is_full"], counts["changed_records"], counts["retired"]) == (0, 0, 0)
    with connect("linker") as connection:
        assert connection.execute("select count(*) from linkage.person_link where record_key = %s", [record]).fetchone() == (0,)


def test_a_feed_whose_history_was_changed_is_read_whole(linked: Path) -> None:
    seventh = FIFTH + timedelta(days=2)
    (record,) = alone(1, others=0)
    with connect("admin") as connection:
        connection.execute("update ops.delivery set contract_hash = 'another' where feed = 'benefits' and night = %s", [SECOND])
        connection.execute("update vault.benefits__claimants set forename = 'Peregrine' where record_key = %s and _valid_to is null", [record])
    counts = stage.score(seventh)
    assert (counts["is_full"], counts["changed_records"]) == (0, 1), "of all the records of the feed only the one is not as it was"


def persons_of(*records: str) -> list[UUID]:
    """The present person of each record."""
    with connect("linker") as connection:
        found = dict(
            connection.execute(
                "select record_key::text, person_id from linkage.person_link where _valid_to is null and certainty = 'balanced' and record_key::text = any(%s)",
                [list(records)],
            ).fetchall()
        )
    return [found[record] for record in records]


def test_the_first_night_cannot_be_linked_after_the_second(linked: Path) -> None:
    with pytest.raises(LinkageFault, match="has been linked after it"):
        stage.link(FIRST)


def _wait_until_blocked(table: str, process: subprocess.Popen[bytes]) -> None:
    with connect("admin", autocommit=True) as watcher:
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            if watcher.execute("select count(*) from pg_locks where not granted and relation = %s::regclass", [table]).fetchone() != (0,):
                return
            assert process.poll() is None, "the step ended before it was blocked"
            time.sleep(0.05)
    pytest.fail(f"the step never reached {table}")
