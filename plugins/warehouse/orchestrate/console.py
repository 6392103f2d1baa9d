"""A night as a person sees it: progress while it runs, the summary after, and what to do next."""

from __future__ import annotations

import sys
import threading
import time
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from warehouse.orchestrate import airflow
from warehouse.orchestrate.airflow import AirflowError
from warehouse.orchestrate.night import NightRun, TaskState, run_night

DONE, PUBLISHED_WITH_REFUSALS, FAILED = 0, 3, 1
# Tasks of a full night: six for each ingest DAG, four to link (two are skipped unless workers share the night), six to build, publish and report.
TASKS_AFTER_INGEST = 10
TASKS_PER_FEED = 6


class Watcher:
    """Shows the tasks of a night as they start and end."""

    def __init__(self, console: Console, feeds: int) -> None:
        self._console = console
        self._ended: dict[tuple[str, str], str] = {}
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True)
        self._line = self._bar.add_task("Starting Airflow", total=feeds * TASKS_PER_FEED + TASKS_AFTER_INGEST)
        self._start = time.monotonic()

    def __enter__(self) -> Watcher:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, tasks: list[TaskState]) -> None:
        for task in tasks:
            name = (task.dag_id, task.task_id)
            if task.state in ("success", "failed", "skipped", "upstream_failed") and self._ended.get(name) != task.state:
                self._ended[name] = task.state
                colour = {"success": "green", "skipped": "dim"}.get(task.state, "red")
                self._console.print(f"{time.monotonic() - self._start:6.0f} s  [{colour}]{task.state:15}[/] {task.dag_id}.{task.task_id}", highlight=False)
        running = ", ".join(f"{t.dag_id}.{t.task_id}" for t in tasks if t.state == "running")
        self._bar.update(self._line, completed=len(self._ended), description=running or "Waiting for the scheduler")


def run_and_show(inbox: Path, night: date, console: Console) -> int:
    """Prepare the database, run one night through Airflow with progress, and print its summary.

    Returns:
        The exit code: 0 published, 3 published though a delivery was refused or failed, 1 not published.
    """
    outcome = run_with_progress(inbox, night, console)
    if outcome is None:
        return FAILED
    return show_outcome(outcome, console)


def run_with_progress(inbox: Path, night: date, console: Console) -> NightRun | None:
    """Run one night with progress shown; None, with the reason on the console, when Airflow could not run it."""
    from warehouse.contracts.load import feeds
    from warehouse.database.setup import prepare

    prepare()
    console.print(f"The night of [bold]{night}[/] from {inbox}", highlight=False)
    try:
        with Watcher(console, len(feeds())) as watcher:
            return run_night(inbox, night, watcher)
    except AirflowError as error:
        console.print(f"[bold red]error[/] {error}", highlight=False, soft_wrap=True)
        return None


def show_outcome(outcome: NightRun, console: Console) -> int:
    """Print the summary of a night, or where to look when it was not published; gives the exit code."""
    from warehouse.publish.summary import night_summary, print_summary

    if not outcome.published:
        failed = ", ".join(f"{t.dag_id}.{t.task_id}" for t in outcome.tasks if t.state == "failed")
        console.print(f"[bold red]The night was not published[/]: {failed or 'a DAG did not run'} failed. The marts of the last good night still stand.")
        console.print(f"Task logs: {airflow.home() / 'logs'}. What to do: docs/runbooks/night-failed.md", soft_wrap=True)
        return FAILED
    print_summary(night_summary(outcome.night), wide_console())
    for feed in outcome.refused_feeds:
        console.print(f"[bold yellow]{feed}[/]: the delivery was refused or failed; the night went on with what the feed held before. See `warehouse status`.")
    return PUBLISHED_WITH_REFUSALS if outcome.refused_feeds else DONE


def wide_console() -> Console:
    """Standard output as wide as its terminal, or 120 columns where it goes to a file."""
    return Console(width=None if sys.stdout.isatty() else 120)


def serve_airflow(console: Console) -> None:
    """Run Airflow's services until interrupted, saying where the user interface is and how to log in."""
    airflow.migrate()
    with airflow.services():
        console.print(f"Airflow: {airflow.url()}  user: {airflow.USER}  password: in {airflow.password_file()}  (Ctrl-C ends it)", soft_wrap=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("Stopping Airflow")
