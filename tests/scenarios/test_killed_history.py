"""Killed while the past is changed - a late delivery, an erasure, retention - and run again: the end is that of an undisturbed run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenarios.agencies import alias, golden, ingest, night, nights_of_police, nominal, police
from tests.scenarios.ingested import difference, must_be_same, state, visible
from tests.scenarios.workers import AtFile, AtRow, Place, Step, Work, kill_at, run

from warehouse.database import connect

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

CHECKPOINT = "*/work/admit/.unfinished-*"
CHECKPOINTS_GO = AtFile("shutil.rmtree", "*/work/admit/*")
REPLAYING: dict[str, list[Place]] = {
    "treatment": [
        AtFile("open", f"{CHECKPOINT}/facts.json"),
        AtRow("source.treatment__ndtms", "delete"),
        AtRow("source.treatment__ndtms", when="new._valid_from = '2026-11-01'"),
        AtRow("source.treatment__ndtms", when="new._valid_from = '2026-11-02'"),
        AtRow("vault.treatment__ndtms", when="new._valid_from = '2026-11-02'"),
        AtRow("ops.delivery", "update", "new.night = '2026-11-02' and new.status = 'admitted'"),
        AtRow("ops.delivery", "update", "new.status = 'admitted'", at_commit=True),
        CHECKPOINTS_GO,
    ],
    "custody": [
        AtRow("source.custody__receptions", "delete"),
        AtRow("source.custody__receptions", when="new._valid_from = '2026-11-02'"),
        AtRow("quarantine.refused_row"),
        AtRow("ops.delivery", "update", "new.status = 'admitted'", at_commit=True),
    ],
}
ERASING: list[Place] = [
    AtRow("ops.erasure", at_commit=True),
    AtRow("source.police__aliases", "delete"),
    AtRow("quarantine.refused_row", "delete"),
    AtRow("ops.erasure", "update", "new.removed <> '{}'", at_commit=True),
    AtFile("open", "*/.redacted-nominals*"),
    AtFile("os.rename", "*/.redacted-aliases*"),
    AtFile("os.rename", "*/.redacted-nominals*"),
    AtRow("ops.delivery_file", "update", "new.rows_redacted > 0", at_commit=True),
    AtFile("shutil.rmtree", "*/work/admit/*", count=3),
    AtFile("shutil.rmtree", "*/answers/police/*"),
    AtRow("ops.erasure", "update", "new.finished_at is not null", at_commit=True),
]
RETAINING: list[Place] = [
    AtFile("os.rename", "*/landing/police/*"),
    AtFile("shutil.rmtree", "*/landing/police/.removing-*"),
    AtFile("os.remove", "aliases_*"),
    AtRow("quarantine.refused_row", "delete"),
    AtRow("quarantine.refused_row", "delete", at_commit=True),
    AtFile("os.rename", "*/answers/police/*"),
    AtRow("vault.police__nominals", "delete"),
    AtRow("source.police__nominals", "delete", at_commit=True),
    AtRow("ops.check_result", "delete"),
    AtRow("ops.retention_run", when="new.zone = 'ops'"),
]


@pytest.mark.parametrize("feed", REPLAYING)
def test_killed_in_the_replay_after_a_late_delivery(feed: str, clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    first, second = golden(tmp_path, feed, 1), golden(tmp_path, feed, 2)
    run(ingest(second, feed, 2))
    run(ingest(first, feed, 1))
    undisturbed = state(clean_db)

    wipe_database()
    run(ingest(second, feed, 2))
    before = visible(state(clean_db))
    run(ingest(first, feed, 1, last="check"))
    for place in REPLAYING[feed]:
        kill_at(ingest(first, feed, 1, first="admit", last="admit"), place)
        if not committed(place):
            must_be_same(visible(state(clean_db)), before, f"half of the replay can be seen after a kill at {place}")
    run(ingest(first, feed, 1, first="admit"))
    must_be_same(state(clean_db), undisturbed)


def committed(place: Place) -> bool:
    """Whether the server has been told to commit, which it then does although the process is gone."""
    return place.at_commit if isinstance(place, AtRow) else place == CHECKPOINTS_GO


def deliver_all(inboxes: list[Path]) -> None:
    """Take the nights of police in, one after the other."""
    for number, inbox in enumerate(inboxes, start=1):
        run(ingest(inbox, "police", number))


def test_killed_in_an_erasure(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    inboxes = nights_of_police(tmp_path)
    erase = Work(tmp_path, night(4), [Step("erase", '{"NOMINAL_ID": "N1"}')])
    # All nights again from the landed files, to see that what was erased does not come back with them.
    redo = Work(tmp_path, night(4), [Step("redo", "1")])
    deliver_all(inboxes)
    full = state(clean_db)
    run(erase)
    undisturbed = state(clean_db)
    assert {"source.police__aliases", "vault.police__nominals", "quarantine", "landed", "files"} <= difference(full, undisturbed).keys()
    run(redo)
    redone = state(clean_db)

    wipe_database()
    deliver_all(inboxes)
    for place in ERASING:
        kill_at(erase, place)
    run(erase)
    must_be_same(state(clean_db), undisturbed)
    run(redo)
    must_be_same(state(clean_db), redone)
    with connect("admin") as connection:
        erased = "select record_key from ops.erasure"
        for relation in ("source.police__nominals", "source.police__aliases", "vault.police__nominals", "vault.police__aliases", "quarantine.refused_row"):
            assert connection.execute(f"select count(*) from {relation} where record_key in ({erased})").fetchone() == (0,)


def test_an_erasure_that_cannot_tell_rows_apart(clean_db: Path, tmp_path: Path) -> None:
    """A table whose lines end as no system of today ends them: the landed copy goes as a whole, and nothing waits for ever."""
    inbox = police(tmp_path, 1, [nominal(n) for n in range(1, 9)], [alias(n) for n in range(1, 9)])
    for path in (inbox / "police").glob("aliases_*"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))
    run(ingest(inbox, "police"))
    run(Work(tmp_path, night(1), [Step("erase", '{"NOMINAL_ID": "N1"}')]))
    found = state(clean_db)
    assert found["landed"] == [] and found["work"] == []
    assert found["source.police__aliases"][0] == found["source.police__nominals"][0] == 7


def test_killed_in_retention(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    inboxes = nights_of_police(tmp_path)
    # Ten years on everything is past keeping but the last two nights.
    retain = Work(tmp_path, night(1).replace(year=2036), [Step("retain", "2")])
    deliver_all(inboxes)
    full = state(clean_db)
    run(retain)
    undisturbed = state(clean_db)
    assert {"landed", "quarantine", "checks", "vault.police__nominals", "source.police__nominals"} <= difference(full, undisturbed).keys()

    wipe_database()
    deliver_all(inboxes)
    for place in RETAINING:
        kill_at(retain, place)
    run(retain)
    must_be_same(state(clean_db), undisturbed)
