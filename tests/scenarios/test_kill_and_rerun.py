"""A night killed in the middle of every step and run again ends where an undisturbed night ends.

A process of its own works through the steps, as Airflow's tasks do. Before the step to be disturbed it waits; the test then
takes a lock that stops the step at a known place in the middle of its work, and sends SIGKILL there. The next process starts
with the step that was killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from tests.fingerprints import whole_state

from warehouse.contracts.load import feeds
from warehouse.database import connect

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
NIGHT = date(2026, 11, 1)
# One feed that delivers snapshots and one that delivers changes are disturbed; the others only have to be there.
DISTURBED = {"treatment": "treatment__ndtms", "police": "police__nominals"}

WORKER = """
import json, sys
from datetime import date
from pathlib import Path
from warehouse.receive.stage import receive

inbox, steps, gate = json.loads(sys.argv[1])
night = date(2026, 11, 1)
for number, (step, argument) in enumerate(steps):
    delivery = receive(argument, Path(inbox), night) if step in ("load", "check", "admit") else None
    if gate and number == len(steps) - 1:
        print("ready", flush=True)
        sys.stdin.readline()
    if step == "receive":
        receive(argument, Path(inbox), night)
    elif delivery is not None:
        from warehouse.admit import stage
        getattr(stage, step)(delivery)
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


@dataclass(frozen=True)
class Step:
    """One step of the night, and where to stop it: at a write to a table, or at a read of it. Without a table it is left alone."""

    name: str
    argument: str = ""
    table: str | None = None
    stop_at: str = "write"


def steps_of_a_night() -> list[Step]:
    steps = []
    for feed in feeds():
        table = DISTURBED.get(feed)
        steps += [
            Step("receive", feed, table and "ops.delivery_file"),
            Step("load", feed, table and "ops.delivery_file"),
            Step("check", feed, table and "ops.check_result"),
            Step("admit", feed, table and f"source.{table}"),
        ]
    return [
        *steps,
        Step("score", table="vault.benefits__claimants", stop_at="read"),
        Step("resolve", table="linkage.person_link"),
        Step("build", "seeds"),
        Step("build", "staging", "source.treatment__ndtms", "read"),
        Step("build", "intermediate", "linkage.person_link", "read"),
        Step("build", "marts", "intermediate.int_treatment_journeys", "read"),
        Step("build", "published", "marts_blue.outcome_recovery", "read"),
        Step("publish", table="ops.publication"),
    ]


def start(inbox: Path, steps: list[Step], gate: bool) -> subprocess.Popen[str]:
    work = json.dumps([str(inbox), [[step.name, step.argument] for step in steps], gate])
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, work],
        env=os.environ | {"PYTHONPATH": str(ROOT / "plugins")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(inbox: Path, steps: list[Step]) -> None:
    process = start(inbox, steps, gate=False)
    _, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]


def run_and_kill_in_the_last(inbox: Path, steps: list[Step]) -> None:
    """Work through the steps and kill the last one while it waits for its table."""
    last = steps[-1]
    assert last.table is not None
    others = sessions()
    process = start(inbox, steps, gate=True)
    assert process.stdout is not None and process.stdin is not None and process.stderr is not None
    try:
        if process.stdout.readline().strip() != "ready":
            pytest.fail(f"the steps before {last.name} failed: {process.stderr.read()[-3000:]}")
        with connect("admin") as holder:
            holder.execute(f"lock table {last.table} in {'access exclusive' if last.stop_at == 'read' else 'share'} mode")
            process.stdin.write("go\n")
            process.stdin.flush()
            wait_until_blocked(last.table, process)
            os.killpg(process.pid, signal.SIGKILL)
            holder.rollback()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    wait_until_gone(others)


def wait_until_blocked(table: str, process: subprocess.Popen[str]) -> None:
    with connect("admin", autocommit=True) as watcher:
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            waiting = watcher.execute("select count(*) from pg_locks where not granted and relation = %s::regclass", [table]).fetchone()
            if waiting and waiting[0]:
                return
            if process.poll() is not None:
                pytest.fail(f"the step ended without waiting for {table}: {process.stderr.read()[-3000:] if process.stderr else ''}")
            time.sleep(0.05)
    pytest.fail(f"the step never reached {table}")


def sessions() -> set[int]:
    """Process ids of the server's sessions, this one left out."""
    with connect("admin", autocommit=True) as watcher:
        found = watcher.execute("select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()").fetchall()
    return {pid for (pid,) in found}


def wait_until_gone(others: set[int]) -> None:
    """Until the killed step's sessions have ended: the server notices a lost client when it next writes to it."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        if sessions() <= others:
            return
        time.sleep(0.1)
    pytest.fail("a killed step's session did not end")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from warehouse.synth.generate import generate

    folder = tmp_path_factory.mktemp("kill")
    generate(folder, 800, 1, 5, faults=True, first_night=NIGHT)
    return folder / "inbox" / NIGHT.isoformat()


def test_a_night_killed_in_every_step_ends_where_an_undisturbed_one_ends(clean_db: Path, wipe_database: Callable[[], None], inbox: Path) -> None:
    steps = steps_of_a_night()
    run(inbox, steps)
    undisturbed = whole_state()
    assert undisturbed["people"][0] > 0
    assert undisturbed["marts.outcome_recovery"][0] > 0

    wipe_database()
    first = 0
    for number, step in enumerate(steps):
        if step.table is not None:
            run_and_kill_in_the_last(inbox, steps[first : number + 1])
            first = number
    run(inbox, steps[first:])
    assert whole_state() == undisturbed
