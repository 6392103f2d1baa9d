"""Processes of their own that work through a night's steps, as Airflow's tasks do, stopped at a known place of their work.

A place is named by what happens there, never by a function of ours: a row that is written, a commit, a table that is read,
a file that is opened or renamed. There a process waits until the test has it go on or kills it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import psycopg

from warehouse.database import connect

LIMIT_SECONDS = 180
TESTED_LAYERS = ("staging", "intermediate", "marts", "published")
# The two keys of the advisory lock at which a row waits in the server.
GATE = (20261101, 3)
# Processes are forked from one that has all this imported: importing it anew for each takes longer than the work itself.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.scenarios.preloaded"])


@dataclass(frozen=True)
class Step:
    """One step of a night; `argument` is a feed, a layer of the model, or whatever the step is about."""

    name: str
    argument: str = ""


@dataclass(frozen=True)
class Work:
    """What a process does: steps of a night, one after the other."""

    inbox: Path
    night: date
    steps: list[Step]


@dataclass(frozen=True)
class AtRow:
    """Where a row of a table is written: before the first that meets the condition on `new` (or `old`), others being written already."""

    relation: str
    event: Literal["insert", "update", "delete"] = "insert"
    when: str = "true"
    at_commit: bool = False


@dataclass(frozen=True)
class AtTable:
    """Where a table is written to or read for the first time; with `is_made`, a table that the step makes and analyses itself, where it is read after that."""

    relation: str
    event: Literal["write", "read"] = "write"
    is_made: bool = False


@dataclass(frozen=True)
class AtFile:
    """Where Python opens, renames, removes or makes a file or folder: `event` is the name of its audit event, `path` a pattern.

    `count`: which occurrence of it.
    """

    event: Literal["open", "os.rename", "os.remove", "os.mkdir", "shutil.rmtree"]
    path: str
    count: int = 1


Place = AtRow | AtTable | AtFile


@dataclass(frozen=True)
class Outcome:
    """How a process ended: with the class and message of an error and the place it came from, or without one."""

    error: str | None = None
    message: str = ""
    place: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether it ended well or with an error of ours, whose message is written for an engineer."""
        return self.error is None or self.error.startswith("warehouse.")


@dataclass
class Worker:
    """A process under way."""

    process: Any
    channel: Connection
    # Lets what waits in the server go on; None where the process itself waits.
    release: Callable[[], None] | None = None

    def expect(self, told: str) -> None:
        """Wait until the process tells something."""
        if not self.channel.poll(LIMIT_SECONDS):
            raise AssertionError(f"the process did not come to tell '{told}'")
        found = self.channel.recv()
        assert found == told, f"instead of '{told}': {found}"

    def go_on(self) -> None:
        """Let a stopped process go on."""
        if self.release is not None:
            self.release()
        else:
            self.tell()

    def tell(self) -> None:
        """Answer a process that waits for its test."""
        self.channel.send("go on")

    def outcome(self) -> Outcome:
        """How it ended."""
        if not self.channel.poll(LIMIT_SECONDS):
            raise AssertionError("the process did not end")
        try:
            found = self.channel.recv()
        except EOFError:
            raise AssertionError(f"the process died with exit code {self.process.exitcode}") from None
        assert isinstance(found, Outcome), found
        self.process.join(LIMIT_SECONDS)
        return found

    def kill(self) -> None:
        """Send SIGKILL and wait until it is gone; does nothing to one that has ended."""
        self.process.kill()
        self.process.join(LIMIT_SECONDS)


def start(work: Work, place: AtFile | None = None, waits: bool = False) -> Worker:
    """Start a process.

    Args:
        place: where the last step is to stop.
        waits: whether to wait before the last step until it is told to go on.
    """
    ours, theirs = _forks.Pipe()
    process = _forks.Process(target=_main, args=(work, place, waits, theirs), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def run(work: Work) -> None:
    """Work through steps undisturbed."""
    found = start(work).outcome()
    assert found.error is None, found


def outcomes(*works: Work) -> list[Outcome]:
    """Work through several lists of steps at the same time; how each ended."""
    workers = [start(work) for work in works]
    try:
        return [worker.outcome() for worker in workers]
    finally:
        for worker in workers:
            worker.kill()


@contextmanager
def stopped(work: Work, place: Place) -> Iterator[Worker]:
    """A process that has worked through the steps and stands still at a place of the last one; killed at the end if it still runs."""
    others = sessions()
    worker = start(work, place if isinstance(place, AtFile) else None, waits=True)
    try:
        worker.expect("ready")
        with ExitStack() as held:
            if isinstance(place, AtFile):
                worker.tell()
                worker.expect("reached")
            else:
                gate = held.enter_context(_gate(place))
                worker.release = gate.release
                worker.tell()
                if isinstance(place, AtTable) and place.is_made:
                    _wait_for(f"select from pg_class where oid = to_regclass('{place.relation}') and reltuples >= 0", place, worker)
                    _lock(place, gate.session)
                _wait_for(_waiting(place), place, worker)
            yield worker
            worker.kill()
    finally:
        worker.kill()
    _wait_until_gone(others)


def kill_at(work: Work, place: Place) -> None:
    """Work through the steps and kill the process in the midst of the last one."""
    with stopped(work, place) as worker:
        worker.kill()


class _Held:
    """A session that holds what a stopped process waits for."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self.session = session

    def release(self) -> None:
        """Let go; the server may be gone meanwhile, and what the session held with it."""
        self.session.close()


@contextmanager
def _gate(place: AtRow | AtTable) -> Iterator[_Held]:
    with connect("admin") as session:
        held = _Held(session)
        if isinstance(place, AtTable):
            if not place.is_made:
                _lock(place, session)
            yield held
            return
        _make_trigger(place, session)
        session.execute("select pg_advisory_lock(%s, %s)", GATE)
        session.commit()
        try:
            yield held
        finally:
            held.release()
            with connect("admin") as fresh:
                fresh.execute(f"drop trigger if exists scenario_gate on {place.relation}")


def _lock(place: AtTable, session: psycopg.Connection[Any]) -> None:
    session.execute(f"lock table {place.relation} in {'access exclusive' if place.event == 'read' else 'share'} mode")


def _make_trigger(place: AtRow, session: psycopg.Connection[Any]) -> None:
    session.execute("set synchronous_commit = on")  # it must outlive a crash of the server
    session.execute(
        "create or replace function ops.scenario_gate() returns trigger language plpgsql as"
        f" $$ begin perform pg_advisory_xact_lock_shared({GATE[0]}, {GATE[1]}); return coalesce(new, old); end $$"
    )
    kind, timing = ("constraint ", "after") if place.at_commit else ("", "before")
    deferred = "deferrable initially deferred" if place.at_commit else ""
    session.execute(
        f"create {kind}trigger scenario_gate {timing} {place.event} on {place.relation} {deferred}"
        f" for each row when ({place.when}) execute function ops.scenario_gate()"
    )
    session.commit()


def _waiting(place: AtRow | AtTable) -> str:
    """The query that has a row when a step waits at a place."""
    if isinstance(place, AtTable):
        return f"select from pg_locks where not granted and relation = '{place.relation}'::regclass"
    return f"select from pg_locks where not granted and locktype = 'advisory' and (classid, objid) = ({GATE[0]}, {GATE[1]})"


def _wait_for(statement: str, place: Place, worker: Worker) -> None:
    """Wait until a query has a row."""
    with connect("admin", autocommit=True) as watcher:
        limit = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < limit:
            if watcher.execute(statement).fetchone() is not None:
                return
            if worker.channel.poll(0.01):
                raise AssertionError(f"the step ended without coming to {place}: {worker.channel.recv()}")
    raise AssertionError(f"the step never came to {place}")


def sessions() -> set[int]:
    """Process ids of the server's sessions, this one left out."""
    with connect("admin", autocommit=True) as watcher:
        found = watcher.execute("select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()").fetchall()
    return {pid for (pid,) in found}


def _wait_until_gone(others: set[int]) -> None:
    """Until a killed process's sessions have ended: the server notices a lost client when it next writes to it."""
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit:
        if sessions() <= others:
            return
        time.sleep(0.02)
    raise AssertionError("a killed process's session did not end")


def attempt(work: Work) -> Outcome:
    """Work through steps in this very process; how that ended."""
    try:
        for step in work.steps:
            _do(step, work)
    except Exception as error:
        return _outcome(error)
    return Outcome()


def _outcome(error: Exception) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return Outcome(f"{type(error).__module__}.{type(error).__name__}", str(error), place)


def _main(work: Work, place: AtFile | None, waits: bool, channel: Connection) -> None:
    """The process itself."""
    try:
        for number, step in enumerate(work.steps):
            if waits and number == len(work.steps) - 1:
                channel.send("ready")
                channel.recv()
                if place is not None:
                    _stop_at(place, channel)
            _do(step, work)
    except Exception as error:
        channel.send(_outcome(error))
        return
    channel.send(Outcome())


def _stop_at(place: AtFile, channel: Connection) -> None:
    """Stop once where Python tells its auditors of such an event."""
    left = place.count

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if left and event == place.event and any(fnmatchcase(os.fspath(part), place.path) for part in arguments[:2] if isinstance(part, str | os.PathLike)):
            left -= 1
            if not left:
                channel.send("reached")
                channel.recv()

    sys.addaudithook(audit)


def _do(step: Step, work: Work) -> None:
    match step.name:
        case "receive":
            _received(step.argument, work)
        case "load" | "check" | "admit":
            from warehouse.admit import stage

            delivery_id = _received(step.argument, work)
            if delivery_id is not None:
                getattr(stage, step.name)(delivery_id)
        case "answer":
            from warehouse.admit.answer.stage import write

            delivery_id = _received(step.argument, work)
            if delivery_id is not None:
                write(delivery_id)
        case "redo":
            from warehouse.admit.withdraw import redo

            redo(int(step.argument))
        case "erase":
            from warehouse.admit.erasure import request

            request("police", [json.loads(step.argument)], "erasure request", work.night, "a test")
        case "retain":
            from warehouse.retention import policy
            from warehouse.retention.stage import run as retain

            kept = policy.load()
            landing = kept.landing.model_copy(update={"keep_nights": int(step.argument)})
            retain(work.night, policy=kept.model_copy(update={"landing": landing}))
        case "score" | "resolve":
            from warehouse.link import stage as link

            getattr(link, step.name)(work.night)
        case "build":
            from warehouse.model import stage as model

            # What dbt's tests say of the rows is no matter of kills: all rows are compared in the end.
            if step.argument in TESTED_LAYERS:
                model.COMMANDS[step.argument] += ("--exclude-resource-type", "test")
            model.build(work.night, step.argument)
        case "publish":
            from warehouse.publish.stage import publish

            publish(work.night)
        case other:
            raise ValueError(f"There is no step {other}")


def _received(feed: str, work: Work) -> int | None:
    from warehouse.receive.stage import receive

    return receive(feed, work.inbox, work.night)
