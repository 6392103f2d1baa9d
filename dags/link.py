"""Airflow DAG of the link stage: when every feed has been handed over for a night, find which records are one person."""

from functools import reduce
from operator import and_

from airflow.sdk import Param, PartitionedAssetTimetable, dag, task

from warehouse.contracts.load import feeds
from warehouse.orchestrate.assets import PERSON_LINKS, source_of
from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, START_DATE, night_of_run, runbook


@dag(
    dag_id="link",
    schedule=PartitionedAssetTimetable(assets=reduce(and_, [source_of(feed) for feed in feeds()])),
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["tier:1", "stage:link"],
    doc_md=runbook("link"),
    params={"night": Param(None, type=["null", "string"], format="date", description="Used when the run has no partition key")},
)
def link() -> None:
    """Declare the linkage DAG."""

    @task
    def score() -> dict[str, int]:
        """Vault to scored edges, kept as a file: the checkpoint between the two steps. Feeds that are late are told."""
        from warehouse.link.stage import score as score_night
        from warehouse.orchestrate.alerts import alert_stale_feeds

        counts = score_night(night_of_run())
        alert_stale_feeds(night_of_run())
        return counts

    @task(outlets=[PERSON_LINKS])
    def resolve() -> dict[str, int]:
        """Edges to clusters to lasting person ids, in one transaction."""
        from warehouse.link.stage import resolve as resolve_night

        return resolve_night(night_of_run())

    score() >> resolve()


link()
