"""Deliveries under a server that crashes, on a disk that is full, and in two processes at once: the end is always that of an undisturbed run."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.agencies import INGEST, golden, ingest, nominal, nominals, police
from tests.scenarios.ingested import State, leftovers, must_be_same, state, visible
from tests.scenarios.servers import bring_back, crash
from tests.scenarios.small_disks import attempt_on
from tests.scenarios.workers import AtFile, AtRow, AtTable, Outcome, Place, outcomes, run, stopped

from warehouse.database import connect, server

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

DATABASE_FAULT = "warehouse.database.errors.DatabaseFault"
CHECKPOINT = "*/work/admit/.unfinished-*"


@pytest.fixture(scope="module")
def undisturbed(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], State]:
    """What a feed's two golden nights leave behind."""
    from tests.conftest import wipe

    known: dict[str, State] = {}

    def delivered(feed: str) -> State:
        if feed not in known:
            wipe()
            folder = tmp_path_factory.mktemp(feed)
            for number in (1, 2):
                run(ingest(golden(folder, feed, number), feed, number))
            known[feed] = state(warehouse_db)
            wipe()
        return known[feed]

    return delivered


@pytest.fixture
def running_server(warehouse_db: Path) -> Iterator[None]:
    """However a test leaves the server, the next finds it running."""
    yield
    server.start()


# Where the server crashes, and by which signal: as an immediate shutdown does it, or as the kernel kills it when memory runs out.
CRASHES: list[tuple[str, Place, signal.Signals]] = [
    ("receive", AtRow("ops.delivery_file"), signal.SIGQUIT),
    ("load", AtFile("open", f"{CHECKPOINT}/facts.json"), signal.SIGQUIT),
    ("load", AtRow("ops.delivery", "update", "new.status = 'loaded'"), signal.SIGKILL),
    ("check", AtTable("landing.treatment__ndtms__profile", "read", is_made=True), signal.SIGQUIT),
    ("check", AtRow("ops.check_result"), signal.SIGQUIT),
    ("admit", AtRow("source.treatment__ndtms"), signal.SIGKILL),
    ("admit", AtRow("ops.delivery", "update", "new.status = 'admitted'", at_commit=True), signal.SIGQUIT),
]


def test_the_server_crashes_in_every_step(undisturbed: Any, running_server: None, clean_db: Path, tmp_path: Path) -> None:
    expected = undisturbed("treatment")
    run(ingest(golden(tmp_path, "treatment", 1), "treatment"))
    before = visible(state(clean_db))
    second = golden(tmp_path, "treatment", 2)
    done = "receive"
    for step, place, sent in CRASHES:
        with stopped(ingest(second, "treatment", 2, first=done, last=step), place) as worker:
            crash(sent)
            worker.go_on()
            outcome = worker.outcome()
            bring_back()
        assert outcome.error == DATABASE_FAULT and "the connection failed or was lost" in outcome.message, (place, outcome)
        must_be_same(visible(state(clean_db)), before, f"half of the delivery can be seen after a crash at {place}")
        done = step
    run(ingest(second, "treatment", 2, first=done))
    must_be_same(state(clean_db), expected)


def test_the_server_crashes_after_every_step(undisturbed: Any, running_server: None, clean_db: Path, tmp_path: Path) -> None:
    """A crash takes the last commits and all unlogged tables with it; the night is then run again from its first step."""
    expected = undisturbed("police")
    run(ingest(golden(tmp_path, "police", 1), "police"))
    second = golden(tmp_path, "police", 2)
    for step in INGEST:
        run(ingest(second, "police", 2, last=step))
        crash()
        bring_back()
    run(ingest(second, "police", 2))
    must_be_same(state(clean_db), expected)


def test_the_server_is_restarted_by_hand(undisturbed: Any, running_server: None, clean_db: Path, tmp_path: Path) -> None:
    expected = undisturbed("treatment")
    run(ingest(golden(tmp_path, "treatment", 1), "treatment"))
    second = golden(tmp_path, "treatment", 2)
    with stopped(ingest(second, "treatment", 2, last="admit"), AtRow("source.treatment__ndtms")) as worker:
        server.stop()
        server.start()
        worker.go_on()
        assert worker.outcome().error == DATABASE_FAULT
    run(ingest(second, "treatment", 2, first="admit"))
    must_be_same(state(clean_db), expected)


def many_nominals(folder: Path, count: int = 20_000) -> Path:
    """A delivery of some megabytes."""
    return police(folder, 1, (nominal(number) for number in range(count)))


# Sizes in bytes; the delivery takes 1.2 MB in landing, and less in the work folder, where it is compressed.
@pytest.mark.parametrize(
    ("step", "area", "size"),
    [("receive", "landing", 500_000), ("load", "work", 100_000), ("load", "work", 500_000), ("answer", "answers", 4096)],
)
def test_a_full_disk(step: str, area: str, size: int, clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    inbox = many_nominals(tmp_path / "inbox")
    run(ingest(inbox, "police"))
    expected = state(clean_db)
    wipe_database()
    if step != "receive":
        run(ingest(inbox, "police", last=INGEST[INGEST.index(step) - 1]))
    before = state(clean_db)
    tried = attempt_on(clean_db / area, size, ingest(inbox, "police", first=step, last=step))
    assert tried.outcome.error is not None and tried.outcome.is_clean, tried
    assert "full" in tried.outcome.message and area in tried.outcome.message, tried
    assert [path for path in tried.left if Path(path).suffix and not Path(path).name.startswith(".building-")] == []
    must_be_same(state(clean_db), before)
    run(ingest(inbox, "police", first=step))
    must_be_same(state(clean_db), expected)


@pytest.mark.parametrize("feed", ["treatment", "police"])
def test_one_delivery_in_three_processes(feed: str, undisturbed: Any, clean_db: Path, tmp_path: Path) -> None:
    """Step by step: nobody minds that another did the same at the same time."""
    expected = undisturbed(feed)
    for number in (1, 2):
        inbox = golden(tmp_path, feed, number)
        for step in INGEST:
            found = outcomes(*[ingest(inbox, feed, number, first=step, last=step)] * 3)
            assert [one.error for one in found] == [None] * 3, found
    must_be_same(state(clean_db), expected)


@pytest.mark.parametrize("feed", ["treatment", "police"])
def test_one_delivery_from_beginning_to_end_in_three_processes(feed: str, undisturbed: Any, clean_db: Path, tmp_path: Path) -> None:
    expected = undisturbed(feed)
    for number in (1, 2):
        work = ingest(golden(tmp_path, feed, number), feed, number)
        found = outcomes(work, work, work)
        assert all(one.is_clean for one in found) and Outcome() in found, found
    must_be_same(state(clean_db), expected)


def test_two_deliveries_of_a_night_at_once(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    """The later one stands, whichever was faster; the other has been superseded."""
    inboxes = [police(tmp_path / name, 1, [nominal(n, surname=name) for n in range(1, 9)] + [nominal(9, surname="")]) for name in ("First", "Second")]
    alone = []
    for inbox in inboxes:
        wipe_database()
        run(ingest(inbox, "police"))
        alone.append(visible(state(clean_db)))
    wipe_database()
    found = outcomes(*(ingest(inbox, "police") for inbox in inboxes))
    assert [one.error for one in found] == [None, None], found
    with connect("admin") as connection:
        stands = connection.execute("select sha256 from ops.delivery_file where delivery_id = 2 and table_name = 'nominals'").fetchone()
        statuses = connection.execute("select delivery_id, status, superseded_by from ops.delivery order by 1").fetchall()
    assert statuses == [(1, "superseded", 2), (2, "admitted", None)]
    (later,) = [number for number, inbox in enumerate(inboxes) if stands == (hashlib.sha256(nominals(inbox).read_bytes()).hexdigest(),)]
    must_be_same(visible(state(clean_db)), alone[later])
    assert leftovers(clean_db) == []
