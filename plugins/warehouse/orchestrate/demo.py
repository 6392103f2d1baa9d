"""The demonstration: the next night of a synthetic population, generated, run, evaluated against the truth, and shown."""

from __future__ import annotations

import os
import shlex
import time
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from warehouse.database import connect, server, url
from warehouse.database.errors import clean_errors
from warehouse.database.setup import prepare
from warehouse.orchestrate.console import run_with_progress, show_outcome, wide_console
from warehouse.settings import settings

FIRST_NIGHT = date(2026, 11, 1)
SEED = 20261101


def run_next_night(people: int, console: Console) -> int:
    """Generate and run the first night that has not been published yet; gives the exit code of the run."""
    started = time.monotonic()
    prepare()
    number = _next_night_number()
    night = FIRST_NIGHT + timedelta(days=number - 1)
    folder = settings().home / "demo"
    with console.status(f"Writing the extracts of night {number} ({night}) for {people:,} people"):
        _write_extracts(folder, people, number)
    # The files were written here a moment ago and are whole: there is no upload to wait for.
    os.environ["WAREHOUSE_SETTLE_SECONDS"] = "0"
    outcome = run_with_progress(folder / "inbox" / night.isoformat(), night, console)
    if outcome is None:
        return 1
    if outcome.published:
        with console.status("Comparing the links with the truth"):
            _evaluate(night, folder / "truth")
    code = show_outcome(outcome, console)
    _say_what_next(console, night, time.monotonic() - started)
    return code


def _next_night_number() -> int:
    """One more than the nights already published, counted from the first."""
    with clean_errors("read which nights are published"), connect("engineer") as connection:
        row = connection.execute("select coalesce(max(night) - %s::date, -1) from ops.publication", [FIRST_NIGHT]).fetchone()
    return (row[0] if row else -1) + 2


def _write_extracts(folder: Path, people: int, number: int) -> None:
    from warehouse.synth.generate import generate

    generate(folder, people, number, SEED, faults=True, first_night=FIRST_NIGHT, only_nights=[number - 1])


def _evaluate(night: date, truth: Path) -> None:
    from warehouse.link.evaluate import evaluate
    from warehouse.publish.report.stage import write

    evaluate(night, truth)
    write(night)


def _say_what_next(console: Console, night: date, seconds: float) -> None:
    out = wide_console()
    psql = shlex.quote(str(server.psql())) if not settings().url else "psql"
    out.print()
    out.print(f"Report    {settings().reports_dir / f'{night}.html'}", highlight=False, soft_wrap=True)
    out.print(f"Analyst   {psql} '{url('analyst')}' -c 'select * from marts.outcome_recovery limit 5'", highlight=False, soft_wrap=True)
    out.print(f"BI tool   {url('bi')}", highlight=False, soft_wrap=True)
    out.print(f"Took {seconds:.0f} s. Run `make demo` again for the next night, `make clean` to remove everything.", highlight=False)
