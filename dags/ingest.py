"""One Airflow DAG per feed: receive what the agency delivered, check it, admit it, answer the agency, hand the feed over."""

from typing import Any

from airflow.sdk import CronPartitionTimetable, Param, PartitionedAtRuntime, PokeReturnValue, dag, task

from warehouse.contracts.load import feeds
from warehouse.orchestrate.assets import source_of
from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, KEY_FORMAT, START_DATE, night_of_run, runbook
from warehouse.settings import settings

# Without a cron the DAGs run only when they are triggered, as `warehouse run` does with the night as partition key.
CRON = settings().nightly_cron
NIGHTLY = CronPartitionTimetable(CRON, timezone="Europe/London", key_format=KEY_FORMAT) if CRON else PartitionedAtRuntime()
# A wait ends at the cut-off; this only ends one that does not.
WAITING: dict[str, Any] = {"poke_interval": settings().poll_seconds, "timeout": 24 * 3600}
# A delivery that is refused in one task does not stop the others of the night; without any the task is skipped.
GO_ON = "all_done_min_one_success"


def ingest_dag(feed: str) -> None:
    """Declare the ingest DAG of one feed. Its tasks pass on the ids of the night's deliveries, oldest night first."""

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
        @task.sensor(mode="reschedule", **WAITING)
        def receive() -> PokeReturnValue:
            """Register what came and keep an untouched copy; wait for what is due until the cut-off. Nothing new ends the run here."""
            from warehouse.orchestrate.arrival import await_deliveries

            ids = await_deliveries(feed, settings().inbox_dir, night_of_run())
            return PokeReturnValue(is_done=ids is not None, xcom_value=ids)

        @task
        def load(delivery_ids: list[int]) -> None:
            """File phase: read, type and key the delivery's files, or refuse the delivery."""
            from warehouse.admit.stage import load as load_delivery
            from warehouse.orchestrate.refusals import no_retry_when_refused
            from warehouse.orchestrate.steps import load_each

            with no_retry_when_refused():
                load_each(load_delivery, delivery_ids)

        @task(trigger_rule=GO_ON)
        def check(delivery_ids: list[int]) -> None:
            """Record phase and business rules, by Great Expectations."""
            from warehouse.admit.stage import check as check_delivery
            from warehouse.orchestrate.refusals import no_retry_when_refused
            from warehouse.orchestrate.steps import go_on

            with no_retry_when_refused():
                go_on(check_delivery, delivery_ids)

        @task(trigger_rule=GO_ON)
        def admit(delivery_ids: list[int]) -> dict[str, dict[str, int]]:
            """Good rows to vault and source, bad rows to quarantine, each delivery in one transaction."""
            from warehouse.admit.stage import admit as admit_delivery
            from warehouse.orchestrate.refusals import no_retry_when_refused
            from warehouse.orchestrate.steps import go_on

            with no_retry_when_refused():
                return {str(delivery_id): counts for delivery_id, counts in go_on(admit_delivery, delivery_ids).items()}

        @task(trigger_rule=GO_ON)
        def answer(delivery_ids: list[int]) -> None:
            """Write the report to the agency on each delivery; ends the run as failed when one was refused."""
            from warehouse.admit.answer.stage import write
            from warehouse.orchestrate.alerts import ToldAlready
            from warehouse.orchestrate.steps import answer_each

            refused = answer_each(write, delivery_ids)
            if refused:
                raise ToldAlready("\n".join(refused))

        @task(outlets=[source_of(feed)])
        def hand_over() -> None:
            """Tell the linkage DAG that this feed is done for the night, whatever came of it.

            A teardown runs also after a refusal or an empty inbox, and leaves the run's own state to the tasks before it:
            the night goes on with what the feed held before, and a refused delivery still shows as a failed run.
            """

        if feed in settings().collected_feeds:
            from warehouse.orchestrate.sftp_sensor import SftpArrival

            received: Any = SftpArrival(task_id="receive", feed=feed, doc_md=SftpArrival.__doc__, **WAITING).output
        else:
            received = receive()
        load(received) >> check(received) >> admit(received) >> answer(received) >> hand_over().as_teardown()

    ingest()


for each_feed in feeds():
    ingest_dag(each_feed)
