"""What a night's linkage looked like, in numbers: rows of `ops.linkage_metric`.

Persons, links and events are those of the certainty that is modelled, unless the name ends in another one.

| metric | feed_a, feed_b | value |
|---|---|---|
| records, persons | feed, - | agency records; persons with a record in the feed |
| persons_total, ..._strict, ..._inclusive | -, - | persons |
| persons_in_both | two feeds | persons with a record in each; the same feed twice: persons with more than one record in it |
| share_linked | feed, - | of the feed's persons, those with a record in another feed |
| clusters_of_1, ..._2, ..._3, ..._4_to_9, ..._10_or_more | -, - | persons by their number of records |
| largest_cluster, ..._strict, ..._inclusive | -, - | records of the person with most |
| edges_cut_by_conflict | -, - | edges between records that a conflict keeps apart |
| edges_per_record, mean_match_weight | -, - | edges that may join, per agency record; their mean weight in bits |
| churn, churn_strict, churn_inclusive | -, - | of the records linked before and still there, the share whose person_id changed |
| named_..., minimal_... | -, - | candidate pairs, edges and (named) guarded edges of each model |
| completeness_... | feed, - | share of the feed's records with a usable identifier |
| person_created, _merged, _split, _retired | -, - | events of the night |
| candidates_by_..., edges_by_..., edges_of_feeds | see `quality` | what was compared, and how heavy the edges came out |
| truth_..., labels_..., review_... | see `evaluate`, `labels`, `review` | accuracy against a known truth, labelled pairs, clerical review |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from warehouse.link.models import Certainty
from warehouse.link.persons import EVENTS, MODELLED
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb
    import psycopg

TRUTH_PREFIX = "truth_"
# What is measured after a night was linked, and stays when it is linked again.
MEASURED_APART = [TRUTH_PREFIX, "labels_", "review_"]

MEASURES = """
insert into metric
with person_feed as (select cluster_no, feed, count(*) as records from person_node group by all),
spread as (select cluster_no, count(*) as feeds from person_feed group by all),
size as (select cluster_no, sum(records) as records from person_feed group by all),
banded as (
    select case when records <= 3 then records::int::varchar when records < 10 then '4_to_9' else '10_or_more' end as band from size
)
select 'records', feed, '', sum(records) from person_feed group by feed
union all select 'persons', feed, '', count(*) from person_feed group by feed
union all select 'clusters_of_' || band, '', '', count(*) from banded group by band
union all select 'share_linked', feed, '', avg((feeds > 1)::int) from person_feed inner join spread using (cluster_no) group by feed
union all
select 'persons_in_both', a.feed, b.feed, count(*) from person_feed as a inner join person_feed as b using (cluster_no)
where a.feed < b.feed group by a.feed, b.feed
union all select 'persons_in_both', feed, feed, count(*) from person_feed where records > 1 group by feed
"""

SIZES = """
insert into metric
with size as (select {certainty} as cluster_no, count(*) as records from node group by all)
select 'persons_total{suffix}', '', '', count(*) from size
union all select 'largest_cluster{suffix}', '', '', coalesce(max(records), 0) from size
"""

EDGES = """
insert into metric
with joining as (
    select e.match_weight, a.cluster_no <> b.cluster_no as is_cut
    from edge as e inner join person_node as a on a.record_no = e.record_l inner join person_node as b on b.record_no = e.record_r
    where e.level <= {level}
)
select 'edges_cut_by_conflict', '', '', count(*) filter (is_cut) from joining
union all select 'edges_per_record', '', '', count(*) / greatest((select count(*) from person_node), 1) from joining
union all select 'mean_match_weight', '', '', avg(match_weight) from joining having count(*) > 0
"""


@dataclass(frozen=True)
class Churn:
    """Of the records that were linked before a night and still are (`kept`), those whose person_id changes (`moved`)."""

    moved: int
    kept: int

    @property
    def share(self) -> float:
        return self.moved / self.kept if self.kept else 0.0


def measure(session: duckdb.DuckDBPyConnection, levels: Mapping[Certainty, int]) -> None:
    """Add to table `metric` what `person_node`, `node` and `edge` show (see `resolve`).

    Args:
        levels: each certainty and its level.
    """
    session.execute(MEASURES).fetchall()
    for certainty in levels:
        session.execute(SIZES.format(certainty=certainty, suffix=suffix(certainty))).fetchall()
    session.execute(EDGES.format(level=levels[MODELLED])).fetchall()


def suffix(certainty: str) -> str:
    """What a metric's name ends in at a certainty."""
    return "" if certainty == MODELLED else f"_{certainty}"


def measured(session: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], float]:
    """The measures of table `metric` that are about no pair of feeds, by name and feed."""
    rows = session.execute("select metric, feed_a, value from metric where feed_b = ''").fetchall()
    return {(metric, feed): value for metric, feed, value in rows}


def churn(session: duckdb.DuckDBPyConnection, moved: Mapping[str, int]) -> dict[str, Churn]:
    """The churn at each certainty, of the records that get another person and table `kept_records` (see `changes`); adds it to `metric`."""
    kept: dict[str, int] = dict(session.execute("select certainty, records from kept_records").fetchall())
    found = {certainty: Churn(moved.get(certainty, 0), records) for certainty, records in kept.items()}
    rows = [[f"churn{suffix(certainty)}", one.share] for certainty, one in found.items()]
    session.executemany("insert into metric values (?, '', '', ?)", rows)
    return found


def totals(session: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many records were linked, and to how many persons."""
    records, persons = one_row(session, "select count(*), count(distinct cluster_no) from person_node")
    return {"records": records, "persons": persons}


def write_events(connection: psycopg.Connection, night: date, counts: dict[str, int]) -> None:
    """Add the night's events to `ops.linkage_metric`."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.linkage_metric (night, metric, value) values (%s, %s, %s)",
            [(night, f"person_{event}", counts[event]) for event in EVENTS],
        )
