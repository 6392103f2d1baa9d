"""Killed while the past is changed - a late delivery, an erasure, retention - and run again: the end is that of an undisturbed run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenarios.agencies import alias, golden, ingest, night, nominal, police
from tests.scenarios.ingested import State, difference, state, visible
from tests.scenarios.workers import AtFile, AtRow, Place, Step, Work, kill_at, run

from warehouse.database import connect

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

CHECKPOINT = "*/work/admit/.unfinished-*"
REPLAYING = {
    "treatment": [
        AtFile("open", f"{CHECKPOINT}/facts.json"),
        AtRow("source.treatment__ndtms", "delete"),
        AtRow("source.treatment__ndtms", when="new._valid_from = '2026-11-01'"),
        AtRow("source.treatment__ndtms", when="new._valid_from = '2026-11-02'"),
        AtRow("vault.treatment__ndtms", when="new._valid_from = '2026-11-02'"),
        AtRow("ops.delivery", "update", "new.night = '2026-11-02' and new.status = 'admitted'"),
        AtRow("ops.delivery", "update", "new.status = 'admitted'", at_commit=True),
        AtFile("shutil.rmtree", "*/work/admit/*"),
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
    run(ingest(first, feed, 1))
    run(ingest(second, feed, 2))
    in_order = state(clean_db)

    wipe_database()
    run(ingest(second, feed, 2))
    before = visible(state(clean_db))
    run(ingest(first, feed, 1, last="check"))
    for place in REPLAYING[feed]:
        kill_at(ingest(first, feed, 1, first="admit", last="admit"), place)
        if place != AtFile("shutil.rmtree", "*/work/admit/*"):
            assert difference(visible(state(clean_db)), before) == {}, f"half of the replay can be seen after a kill at {place}"
    run(ingest(first, feed, 1, first="admit"))
    assert difference(state(clean_db), in_order) == {}


def nights_of_police(folder: Path) -> list[Path]:
    """Inboxes of four nights: nominals that come, change and go, and rows that are refused."""
    return [
        police(folder / "1", 1, [nominal(n) for n in range(1, 9)] + [nominal(30, surname="")], [alias(n) for n in range(1, 9)]),
        police(folder / "2", 2, [nominal(1, "U", "Second"), nominal(2, "U", "Second"), nominal(3, "D"), nominal(9)], [alias(1, "Second")]),
        police(folder / "3", 3, [nominal(1, "U", "Third"), nominal(4, "D"), nominal(31, surname="")], [alias(1, "Third"), alias(9)]),
        police(folder / "4", 4, [nominal(1, "U", "Fourth"), nominal(10)]),
    ]


def deliver_all(inboxes: list[Path]) -> None:
    """Take the nights of police in, one after the other."""
    for number, inbox in enumerate(inboxes, start=1):
        run(ingest(inbox, "police", number))


def test_killed_in_an_erasure(clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    inboxes = nights_of_police(tmp_path)
    erase = Work(tmp_path, night(4), [Step("erase", '{"NOMINAL_ID": "N1"}')])
    deliver_all(inboxes)
    run(erase)
    undisturbed = state(clean_db)
    assert [tuple(row[5:7]) for row in undisturbed["erasures"]] == [(True, False)]

    wipe_database()
    deliver_all(inboxes)
    for place in ERASING:
        kill_at(erase, place)
    run(erase)
    assert difference(state(clean_db), undisturbed) == {}
    replay_leaves(clean_db, undisturbed)


def replay_leaves(home: Path, undisturbed: State) -> None:
    """What was erased does not come back when the nights are made again from the landed files."""
    with connect("admin") as connection:
        (first,) = connection.execute("select min(delivery_id) from ops.delivery").fetchone() or (None,)
    run(Work(home, night(1), [Step("redo", str(first))]))
    redone = visible(state(home))
    assert difference(redone, visible(undisturbed)) == {}


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
    assert difference(state(clean_db), undisturbed) == {}
