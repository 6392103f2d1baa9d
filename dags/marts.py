"""Airflow DAG of the model and publish stages: dbt builds and tests the marts, then they go live in one transaction."""

from airflow.sdk import Param, PartitionedAssetTimetable, chain, dag, task

from warehouse.orchestrate.assets import MARTS, PERSON_LINKS
from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, START_DATE, night_of_run, runbook

# The layers of the dbt project that each task builds: a task costs five seconds of imports, so the seeds ride along.
LAYERS = {"staging": ["seeds", "staging"], "intermediate": ["intermediate"], "marts": ["marts"], "estimates": ["estimates"], "published": ["published"]}


@dag(
    dag_id="marts",
    schedule=PartitionedAssetTimetable(assets=PERSON_LINKS),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["tier:1", "stage:model", "stage:publish"],
    doc_md=runbook("marts"),
    params={"night": Param(None, type=["null", "string"], format="date", description="Used when the run has no partition key")},
)
def marts() -> None:
    """Declare the model and publish DAG."""

    @task
    def build(layers: list[str]) -> dict[str, dict[str, int]]:
        """Build and test layers of the dbt project in the slot that is not live."""
        from warehouse.model.stage import build as build_night

        return {layer: build_night(night_of_run(), layer) for layer in layers}

    @task(outlets=[MARTS])
    def publish() -> dict[str, int]:
        """Make the tested marts live in one transaction."""
        from warehouse.orchestrate.refusals import no_retry_when_refused
        from warehouse.publish.stage import publish as publish_night

        with no_retry_when_refused():
            return publish_night(night_of_run())

    @task
    def report() -> str:
        """Write the nightly report."""
        from warehouse.publish.report.stage import write

        return str(write(night_of_run()))

    builds = [build.override(task_id=f"build_{name}")(layers) for name, layers in LAYERS.items()]
    chain(*builds, publish(), report())


marts()
