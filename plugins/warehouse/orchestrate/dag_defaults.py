"""What all DAGs share: owner, retries, alerts, documentation, and which night a run is for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from warehouse.orchestrate.alerts import AlertNotifier
from warehouse.settings import settings

START_DATE = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "data-engineering",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "on_failure_callback": [AlertNotifier()],
}
KEY_FORMAT = "%Y-%m-%d"


def runbook(name: str) -> str:
    """The text of docs/runbooks/<name>.md, shown in Airflow as the DAG's documentation."""
    return (settings().project_root / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")


def night_of_run() -> date:
    """The night the running task works for: its run's partition key, else the `night` parameter (`dag.test()` sets no key).

    Raises:
        ValueError: the run has neither.
    """
    from airflow.sdk import get_current_context

    context = get_current_context()
    key = getattr(context["dag_run"], "partition_key", None) or context["params"].get("night")
    if not key:
        raise ValueError("This run has no night: trigger it with a partition key such as 2026-11-22")
    return date.fromisoformat(key)
