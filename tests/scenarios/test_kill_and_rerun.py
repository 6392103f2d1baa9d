"""A night killed in the middle of every step and run again ends where an undisturbed night ends.

A process of its own works through the steps, as Airflow's tasks do. The last one is stopped at a known place in the middle
of its work, and the process killed there. The next process starts with the step that was killed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fingerprints import whole_state
from tests.scenarios.agencies import INGEST, NIGHT, golden, ingest, nights_of_police
from tests.scenarios.ingested import must_be_same, state, visible
from tests.scenarios.workers import AtFile, AtRow, AtTable, Place, Step, Work, kill_at, run

from warehouse.contracts.load import feeds

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

# One feed that delivers snapshots and one that delivers changes are disturbed; the others only have to be there.
DISTURBED = {"treatment": "treatment__ndtms", "police": "police__nominals"}
CHECKPOINT = "*/work/admit/.unfinished-*"
LANDED = "*/landing/*/.unfinished-*"
ADMITTED = AtRow("ops.delivery", "update", "new.status = 'admitted'", at_commit=True)


def places_of_a_night() -> list[tuple[Step, Place | None]]:
    """Every step of a night, and where to kill it; without a place it is left alone."""
    steps: list[tuple[Step, Place | None]] = []
    for feed in feeds():
        relation = DISTURBED.get(feed)
        places: dict[str, Place] = {}
        if relation:
            places = {
                "receive": AtTable("ops.delivery_file"),
                "load": AtFile("os.rename", CHECKPOINT),
                "check": AtTable("ops.check_result"),
                "admit": AtTable(f"source.{relation}"),
            }
        steps += [(Step(name, feed), places.get(name)) for name in INGEST]
    return [
        *steps,
        (Step("score"), AtTable("vault.benefits__claimants", "read")),
        (Step("resolve"), AtTable("linkage.person_link")),
        (Step("build", "seeds"), None),
        (Step("build", "staging"), AtTable("source.treatment__ndtms", "read")),
        (Step("build", "intermediate"), AtTable("linkage.person_link", "read")),
        (Step("build", "marts"), AtTable("intermediate.int_treatment_journeys", "read")),
        (Step("build", "estimates"), AtTable("marts_blue.rpt_prevalence_lists", "read")),
        (Step("build", "published"), AtTable("marts_blue.outcome_recovery", "read")),
        (Step("publish"), AtTable("ops.publication")),
    ]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from warehouse.synth.generate import generate

    folder = tmp_path_factory.mktemp("kill")
    generate(folder, 800, 1, 5, faults=True, first_night=NIGHT)
    return folder / "inbox" / NIGHT.isoformat()


def test_a_night_killed_in_every_step_ends_where_an_undisturbed_one_ends(clean_db: Path, wipe_database: Callable[[], None], inbox: Path) -> None:
    places = places_of_a_night()
    run(Work(inbox, NIGHT, [step for step, _ in places]))
    undisturbed = whole_state() | state(clean_db)
    assert undisturbed["people"][0] > 0
    assert undisturbed["marts.outcome_recovery"][0] > 0

    wipe_database()
    waiting: list[Step] = []
    for step, place in places:
        waiting.append(step)
        if place is not None:
            kill_at(Work(inbox, NIGHT, waiting), place)
            waiting = [step]
    run(Work(inbox, NIGHT, waiting))
    must_be_same(whole_state() | state(clean_db), undisturbed)


# For each step of a delivery, places before which something has been done and after which something is left to do.
def places(relation: str) -> list[tuple[str, Place]]:
    return [
        ("receive", AtFile("open", f"{LANDED}/*")),
        ("receive", AtRow("ops.delivery_file")),
        ("receive", AtFile("os.rename", LANDED)),
        ("receive", AtRow("ops.delivery", at_commit=True)),
        ("load", AtFile("os.remove", f"{CHECKPOINT}/*.raw.parquet")),
        ("load", AtFile("open", f"{CHECKPOINT}/facts.json")),
        ("load", AtFile("os.rename", CHECKPOINT)),
        ("load", AtRow("ops.delivery", "update", "new.status = 'loaded'", at_commit=True)),
        ("check", AtTable(f"landing.{relation}__profile", "read", is_made=True)),
        ("check", AtRow("ops.check_result", when="new.rule <> 'malformed_row'")),
        ("check", AtRow("ops.delivery", "update", "new.status = 'checked'", at_commit=True)),
        ("admit", AtRow("quarantine.refused_row")),
        ("admit", AtRow(f"source.{relation}", "update")),
        ("admit", AtRow(f"source.{relation}")),
        ("admit", AtRow(f"vault.{relation}")),
        ("admit", AtRow("ops.delivery", "update", "new.status = 'admitted'")),
        ("admit", ADMITTED),
        ("answer", AtFile("open", "*/answer.html")),
        ("answer", AtFile("os.rename", "*/.unfinished-*/answer.html")),
        ("answer", AtFile("shutil.rmtree", "*/work/admit/*")),
        ("answer", AtFile("os.remove", "*.parquet", count=3)),
    ]


@pytest.mark.parametrize("feed", DISTURBED)
def test_a_delivery_killed_everywhere(feed: str, clean_db: Path, wipe_database: Callable[[], None], tmp_path: Path) -> None:
    first, second = nights_of_police(tmp_path)[:2] if feed == "police" else [golden(tmp_path, feed, number) for number in (1, 2)]
    run(ingest(first, feed))
    before = visible(state(clean_db))
    run(ingest(second, feed, 2))
    undisturbed = state(clean_db)

    wipe_database()
    run(ingest(first, feed))
    done = "receive"
    for step, place in places(DISTURBED[feed]):
        kill_at(ingest(second, feed, 2, first=done, last=step), place)
        # A server that has been told to commit does so although the process is gone.
        is_admitted = step == "answer" or place == ADMITTED
        expected = visible(undisturbed) if is_admitted else before
        must_be_same(visible(state(clean_db)), expected, f"half of the delivery can be seen after a kill at {place}")
        done = step
    run(ingest(second, feed, 2, first=done))
    must_be_same(state(clean_db), undisturbed)
