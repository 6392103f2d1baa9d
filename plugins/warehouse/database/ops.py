"""The record of what each stage did: `ops.stage_run`, one row per run of a stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from warehouse.database.connect import connect
from warehouse.database.errors import clean_errors

# The login that writes a stage's record is the one the stage works as.
ROLE_OF_STAGE = {
    "receive": "loader",
    "load": "loader",
    "check": "loader",
    "admit": "loader",
    "link": "linker",
    "model": "transformer",
    "publish": "transformer",
    "retention": "loader",
}


@dataclass
class StageRun:
    """One run of a stage, while it lasts."""

    night: date
    stage: str
    feed: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, value: int) -> None:
        """Note a count to be kept with the run: rows, records, persons; never a person's value."""
        self.counts[name] = value


@contextmanager
def stage_run(night: date, stage: str, feed: str | None = None) -> Iterator[StageRun]:
    """Record a stage's start, end, outcome and counts around the code inside.

    Args:
        stage: the stage or one part of it, as `model` or `model.marts`; the part before the dot picks the login.
    """
    role = ROLE_OF_STAGE[stage.split(".")[0]]
    run = StageRun(night, stage, feed)
    with clean_errors(f"record the start of {stage}"), connect(role) as connection:
        row = connection.execute("insert into ops.stage_run (night, stage, feed) values (%s, %s, %s) returning stage_run_id", [night, stage, feed]).fetchone()
    assert row is not None  # insert ... returning always gives its row
    try:
        yield run
    except BaseException as error:
        # The class alone: only the errors we write ourselves are known to hold no person's value.
        reason = f"{type(error).__name__}: {error}" if type(error).__module__.startswith("warehouse.") else type(error).__name__
        _finish(role, row[0], "failed", run, reason)
        raise
    _finish(role, row[0], "ok", run, None)


def _finish(role: str, stage_run_id: int, status: str, run: StageRun, error: str | None) -> None:
    with clean_errors(f"record the end of {run.stage}"), connect(role) as connection:
        connection.execute(
            "update ops.stage_run set ended_at = now(), status = %s, counts = %s, error = %s where stage_run_id = %s",
            [status, json.dumps(run.counts), error, stage_run_id],
        )
