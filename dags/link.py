"""Airflow DAG of the link stage: when every feed has been handed over for a night, find which records are one person."""

from functools import reduce
from operator import and_

from airflow.sdk import Param, PartitionedAssetTimetable, dag, task

from warehouse.contracts.load import feeds
from warehouse.link.split import Chunk
from warehouse.orchestrate.assets import PERSON_LINKS, source_of
from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, START_DATE, night_of_run, runbook
from warehouse.settings import settings


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
    def score() -> list[Chunk]:
        """Vault to scored edges, kept as a file: the checkpoint between the steps. Feeds that are late are told.

        A night too large for one worker is split instead: what it gives are the chunks.
        """
        from warehouse.link.split import chunks_of
        from warehouse.link.stage import score as score_night
        from warehouse.orchestrate.alerts import alert_stale_feeds

        score_night(night_of_run(), workers=settings().linkage_workers)
        alert_stale_feeds(night_of_run())
        return chunks_of(night_of_run())

    @task(max_active_tis_per_dagrun=settings().linkage_workers, doc_md="One chunk of the candidate pairs of a split night. Skipped on any other.")
    def score_chunk(chunk: Chunk) -> int:
        """Candidate pairs to scored pairs, kept as a file."""
        from warehouse.link.stage import score_chunk as score_chunk_of_night

        return score_chunk_of_night(night_of_run(), chunk)

    @task
    def gather() -> dict[str, int]:
        """Scored chunks of a split night to scored edges. Skipped on any other."""
        from warehouse.link.stage import gather as gather_night

        return gather_night(night_of_run())

    @task(outlets=[PERSON_LINKS], trigger_rule="none_failed_min_one_success")
    def resolve() -> dict[str, int]:
        """Edges to clusters to lasting person ids, in one transaction."""
        from warehouse.link.stage import resolve as resolve_night

        return resolve_night(night_of_run())

    chunks = score()
    [chunks, score_chunk.expand(chunk=chunks) >> gather()] >> resolve()


link()
