"""Airflow DAG of the retention: once a week, remove from every zone what is past keeping."""

from airflow.sdk import CronPartitionTimetable, Param, PartitionedAtRuntime, dag, task

from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, KEY_FORMAT, START_DATE, night_of_run, runbook
from warehouse.settings import settings

# Sunday noon: no night is at work then, and nothing waits for it. Only by hand where the nights do not run by the clock either.
WEEKLY = CronPartitionTimetable("0 12 * * 0", timezone="Europe/London", key_format=KEY_FORMAT) if settings().nightly_cron else PartitionedAtRuntime()


@dag(
    dag_id="retention",
    schedule=WEEKLY,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["tier:2", "stage:retention"],
    doc_md=runbook("retention"),
    params={"night": Param(None, type=["null", "string"], format="date", description="Used when the run has no partition key")},
)
def retention() -> None:
    """Declare the retention DAG."""

    @task
    def remove() -> dict[str, int]:
        """Remove what is past keeping from every zone; gives how much went from each."""
        from warehouse.retention.stage import run

        return {removal.zone: removal.removed for removal in run(night_of_run())}

    remove()


retention()
