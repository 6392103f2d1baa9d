"""A night killed in the middle of every step and run again ends where an undisturbed night ends.

Each step runs in a process of its own, as an Airflow task does. A lock held by the test stops it at a known place in the
middle of its work; there it gets SIGKILL; then the lock is let go and the step runs again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from tests.fingerprints import whole_state

from warehouse.contracts.load import feeds, load_contract
from warehouse.database import connect

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
NIGHT = date(2026, 11, 1)
READING = ("score", "build")

STEP = """
import sys
from datetime import date
from pathlib import Path
night = date(2026, 11, 1)
step, argument = sys.argv[1], sys.argv[2]
if step == "receive":
    from warehouse.receive.stage import receive
    inbox, feed = argument.rsplit(":", 1)
    print(receive(feed, Path(inbox), night))
elif step in ("load", "check", "admit"):
    from warehouse.admit import stage
    getattr(stage, step)(int(argument))
elif step in ("score", "resolve"):
    from warehouse.link import stage
    getattr(stage, step)(night)
elif step == "build":
    from warehouse.model.stage import build
    build(night, argument)
elif step == "publish":
    from warehouse.publish.stage import publish
    publish(night)
"""


def start(step: str, argument: str = "") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins")}
    return subprocess.Popen(
        [sys.executable, "-c", STEP, step, argument], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def run(step: str, argument: str = "") -> str:
    process = start(step, argument)
    out, err = process.communicate()
    assert process.returncode == 0, f"{step} {argument}: {err[-3000:]}"
    return out.strip()


def kill_in_the_middle(table: str, step: str, argument: str = "") -> None:
    """Run a step until it waits for `table`, which the test holds against writers, and kill it there."""
    with connect("admin") as holder:
        if holder.execute("select to_regclass(%s)", [table]).fetchone() == (None,):
            pytest.fail(f"{table} does not exist, so {step} cannot be stopped there")
        # Steps that write to the table are stopped at their write; the others at their read.
        holder.execute(f"lock table {table} in {'access exclusive' if step in READING else 'share'} mode")
        process = start(step, argument)
        try:
            wait_until_blocked(table, process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        holder.rollback()
    wait_until_gone()


def wait_until_blocked(table: str, process: subprocess.Popen[str]) -> None:
    with connect("admin", autocommit=True) as watcher:
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            waiting = watcher.execute("select count(*) from pg_locks where not granted and relation = %s::regclass", [table]).fetchone()
            if waiting and waiting[0]:
                return
            assert process.poll() is None, f"the step ended without touching {table}: {process.stderr.read()[-2000:] if process.stderr else ''}"
            time.sleep(0.05)
    pytest.fail(f"the step never reached {table}")


def wait_until_gone() -> None:
    """Until the killed step's sessions have ended: the server notices a lost client when it next writes to it."""
    with connect("admin", autocommit=True) as watcher:
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            left = watcher.execute("select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()").fetchone()
            if left == (0,):
                return
            time.sleep(0.1)
    pytest.fail("a killed step's session did not end")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from warehouse.synth.generate import generate

    folder = tmp_path_factory.mktemp("kill")
    generate(folder, 800, 1, 5, faults=True, first_night=NIGHT)
    return folder / "inbox" / NIGHT.isoformat()


def whole_night(inbox: Path, disturb: bool) -> dict[str, tuple[int, str]]:
    """Every step of a night in its order; with `disturb`, each is killed in its middle first."""

    def step(table: str, name: str, argument: str = "") -> str:
        if disturb and table:
            kill_in_the_middle(table, name, argument)
        return run(name, argument)

    for feed in feeds():
        delivery = step("ops.delivery_file", "receive", f"{inbox}:{feed}")
        step("ops.delivery_file", "load", delivery)
        step("ops.check_result", "check", delivery)
        step(f"source.{feed}__{next(iter(load_contract(feed).tables))}", "admit", delivery)
    step("vault.benefits__claimants", "score")
    step("linkage.person_link", "resolve")
    step("", "build", "seeds")
    step("source.treatment__ndtms", "build", "staging")
    step("staging.stg_linkage__person_link", "build", "intermediate")
    step("intermediate.int_treatment_journeys", "build", "marts")
    step("marts_blue.outcome_recovery", "build", "published")
    step("ops.publication", "publish")
    return whole_state()


def test_a_night_killed_in_every_step_ends_where_an_undisturbed_one_ends(clean_db: Path, inbox: Path, request: pytest.FixtureRequest) -> None:
    undisturbed = whole_night(inbox, disturb=False)
    assert undisturbed["people"][0] > 0
    assert undisturbed["marts.outcome_recovery"][0] > 0
    wipe = request.getfixturevalue("wipe_database")
    wipe()
    assert whole_night(inbox, disturb=True) == undisturbed
