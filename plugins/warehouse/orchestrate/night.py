"""One night through Airflow: trigger the ingest DAGs and follow the chain that their assets set off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from warehouse.contracts.load import feeds
from warehouse.orchestrate import airflow
from warehouse.orchestrate.airflow import AirflowError, Api

NIGHT_LIMIT_SECONDS = 6 * 3600.0
PARSE_LIMIT_SECONDS = 120.0
POLL_SECONDS = 2.0
DONE = ("success", "failed")


@dataclass
class TaskState:
    """What is known of one task of the night."""

    dag_id: str
    task_id: str
    state: str | None


@dataclass
class NightRun:
    """How a night went: the state of each DAG's run and of each task."""

    night: date
    dags: dict[str, str] = field(default_factory=dict)
    tasks: list[TaskState] = field(default_factory=list)

    @property
    def refused_feeds(self) -> list[str]:
        """Feeds whose ingest run failed: their delivery was refused, or could not be processed."""
        return [dag.removeprefix("ingest_") for dag, state in self.dags.items() if dag.startswith("ingest_") and state == "failed"]

    @property
    def published(self) -> bool:
        """Whether the night's marts went live and the report was written."""
        return self.dags.get("marts") == "success"


Progress = Callable[[list[TaskState]], None]


def run_night(inbox: Path, night: date, progress: Progress | None = None) -> NightRun:
    """Run one night on whatever lies in `inbox`, through Airflow's scheduler and asset-triggered DAGs.

    Args:
        inbox: one sub-folder per feed.
        night: the date the night's data are as at.
        progress: called every other second with the state of every task known so far.

    Returns:
        How it went. Refused deliveries do not raise: the night goes on with what the feeds held before.

    Raises:
        AirflowError: Airflow did not start or parse the DAGs, or the night did not end within six hours.
    """
    key = night.isoformat()
    airflow.migrate()
    with airflow.services(inbox) as api:
        ingests = [f"ingest_{feed}" for feed in feeds()]
        _wait_for_dags(api, {*ingests, "link", "marts"})
        for dag in (*ingests, "link", "marts"):
            api.fail_unfinished(dag)
        seen = {dag: {run["dag_run_id"] for run in api.runs(dag, key)} for dag in ("link", "marts")}
        runs = {dag: api.trigger(dag, key) for dag in ingests}
        return _follow(api, night, runs, seen, progress)


def _wait_for_dags(api: Api, wanted: set[str]) -> None:
    limit = time.monotonic() + PARSE_LIMIT_SECONDS
    while time.monotonic() < limit:
        if wanted <= api.dags():
            return
        broken = api.import_errors()
        if broken:
            raise AirflowError(f"DAG files with import errors: {', '.join(broken)}")
        time.sleep(0.5)
    raise AirflowError(f"Airflow did not parse these DAGs in time: {', '.join(sorted(wanted - api.dags()))}")


def _follow(api: Api, night: date, runs: dict[str, str], seen: dict[str, set[str]], progress: Progress | None) -> NightRun:
    key, limit = night.isoformat(), time.monotonic() + NIGHT_LIMIT_SECONDS
    while time.monotonic() < limit:
        outcome = NightRun(night)
        for dag_id in ("link", "marts"):
            fresh = [run["dag_run_id"] for run in api.runs(dag_id, key) if run["dag_run_id"] not in seen[dag_id]]
            if fresh:
                runs.setdefault(dag_id, fresh[0])
        for dag_id, run_id in runs.items():
            outcome.dags[dag_id] = api.state(dag_id, run_id)
            outcome.tasks += [TaskState(dag_id, str(task["task_id"]), task["state"]) for task in api.tasks(dag_id, run_id)]
        if progress:
            progress(outcome.tasks)
        if is_over(outcome):
            return outcome
        time.sleep(POLL_SECONDS)
    raise AirflowError(f"The night of {key} did not end within {NIGHT_LIMIT_SECONDS / 3600:.0f} hours")


def is_over(outcome: NightRun) -> bool:
    """The chain is over when the last DAG has ended, or when a task that the next DAG waits for has failed for good."""
    if outcome.dags.get("marts") in DONE:
        return all(state in DONE for state in outcome.dags.values())
    broken = any(task.task_id == "hand_over" and task.state in ("failed", "upstream_failed") for task in outcome.tasks)
    return outcome.dags.get("link") == "failed" or broken
