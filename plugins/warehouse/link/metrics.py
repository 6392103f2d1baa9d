"""What a night's linkage looked like, in numbers: rows of `ops.linkage_metric`.

| metric | feed_a, feed_b | value |
|---|---|---|
| records, persons | feed, - | agency records; persons with a record in the feed |
| persons_total | -, - | persons |
| persons_in_both | two feeds | persons with a record in each; the same feed twice: persons with more than one record in it |
| share_linked | feed, - | of the feed's persons, those with a record in another feed |
| clusters_of_1, ..._2, ..._3, ..._4_to_9, ..._10_or_more | -, - | persons by their number of records |
| largest_cluster | -, - | records of the person with most |
| edges_cut_by_conflict | -, - | edges between records that a conflict keeps apart |
| named_..., minimal_... | -, - | candidate pairs, edges and (named) guarded edges of each model |
| completeness_... | feed, - | share of the feed's records with a usable identifier |
| person_created, _merged, _split, _retired | -, - | events of the night |
| truth_... | see `evaluate` | accuracy against a known truth, where there is one |
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from warehouse.link.persons import EVENTS

if TYPE_CHECKING:
    import duckdb
    import psycopg

TRUTH_PREFIX = "truth_"

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
union all select 'persons_total', '', '', count(*) from size
union all select 'largest_cluster', '', '', coalesce(max(records), 0) from size
union all select 'clusters_of_' || band, '', '', count(*) from banded group by band
union all select 'share_linked', feed, '', avg((feeds > 1)::int) from person_feed inner join spread using (cluster_no) group by feed
union all
select 'persons_in_both', a.feed, b.feed, count(*) from person_feed as a inner join person_feed as b using (cluster_no)
where a.feed < b.feed group by a.feed, b.feed
union all select 'persons_in_both', feed, feed, count(*) from person_feed where records > 1 group by feed
"""


def measure(session: duckdb.DuckDBPyConnection, edges_cut: int) -> None:
    """Add to table `metric` what `person_node` (record_no, record_key, feed, cluster_no) shows."""
    session.execute(MEASURES).fetchall()
    session.execute("insert into metric values ('edges_cut_by_conflict', '', '', ?)", [edges_cut]).fetchall()


def write_events(connection: psycopg.Connection, night: date, counts: dict[str, int]) -> None:
    """Add the night's events to `ops.linkage_metric`."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.linkage_metric (night, metric, value) values (%s, %s, %s)",
            [(night, f"person_{event}", counts[event]) for event in EVENTS],
        )
