"""One Airflow DAG per feed: receive a delivery, check it, admit it, and hand the feed over to the linkage DAG."""

from airflow.sdk import CronPartitionTimetable, Param, PartitionedAtRuntime, dag, task

from warehouse.contracts.load import feeds
from warehouse.orchestrate.assets import source_of
from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, KEY_FORMAT, START_DATE, night_of_run, runbook
from warehouse.settings import settings

# Without a cron the DAGs run only when they are triggered, as `warehouse run` does with the night as partition key.
CRON = settings().nightly_cron
NIGHTLY = CronPartitionTimetable(CRON, timezone="Europe/London", key_format=KEY_FORMAT) if CRON else PartitionedAtRuntime()


def ingest_dag(feed: str) -> None:
    """Declare the ingest DAG of one feed."""

    @dag(
        dag_id=f"ingest_{feed}",
        schedule=NIGHTLY,
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        tags=["tier:1", "stage:receive", "stage:admit", f"feed:{feed}"],
        doc_md=runbook("ingest"),
        params={"night": Param(None, type=["null", "string"], format="date", description="Used when the run has no partition key")},
    )
    def ingest() -> None:
        @task.short_circuit
        def receive() -> int | None:
            """Register the delivery and keep an untouched copy; nothing new ends the run here."""
            from warehouse.receive.stage import receive as receive_delivery

            return receive_delivery(feed, settings().inbox_dir, night_of_run())

        @task
        def load(delivery_id: int) -> int:
            """File phase: the delivery's files into landing tables, or the delivery is refused."""
            from warehouse.admit.stage import load as load_delivery
            from warehouse.orchestrate.refusals import no_retry_when_refused

            with no_retry_when_refused():
                load_delivery(delivery_id)
            return delivery_id

        @task
        def check(delivery_id: int) -> int:
            """Record phase: the contract's expectation suite, by Great Expectations."""
            from warehouse.admit.stage import check as check_delivery
            from warehouse.orchestrate.refusals import no_retry_when_refused

            with no_retry_when_refused():
                check_delivery(delivery_id)
            return delivery_id

        @task
        def admit(delivery_id: int) -> dict[str, int]:
            """Good rows to vault and source, bad rows to quarantine, in one transaction."""
            from warehouse.admit.stage import admit as admit_delivery

            return admit_delivery(delivery_id)

        @task(outlets=[source_of(feed)])
        def hand_over() -> None:
            """Tell the linkage DAG that this feed is done for the night, whatever came of it.

            A teardown runs also after a refusal or an empty inbox, and leaves the run's own state to the tasks before it:
            the night goes on with what the feed held before, and a refused delivery still shows as a failed run.
            """

        received = receive()
        admit(check(load(received))) >> hand_over().as_teardown()

    ingest()


for each_feed in feeds():
    ingest_dag(each_feed)
