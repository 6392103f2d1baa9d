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
| links_are_the_truth | -, - | 1 on a night whose links were not found out, see `from_truth`; on other nights there is none |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from warehouse.contracts.ddl import literal
from warehouse.link.models import Certainty
from warehouse.link.persons import EVENTS, MODELLED
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb
    import psycopg

TRUTH_PREFIX = "truth_"
LINKS_ARE_THE_TRUTH = "links_are_the_truth"
# What is measured after a night was linked, and stays when it is linked again.
MEASURED_APART = [TRUTH_PREFIX, "labels_", "review_"]

# Most persons have the same few numbers of records in the feeds, so they are counted by these first: `cell` has a row for every combination
# and feed in it, with the feed's records and the number of such persons.
COMBINATIONS = """
create or replace temp table combination as
select {feeds}, count(*) as persons from (select cluster_no, {counts} from person_node group by cluster_no) group by all;
create or replace temp table cell as
unpivot (select row_number() over () as combination_no, * from combination) on columns(* exclude (combination_no, persons)) into name feed value records
"""
MEASURES = """
insert into metric
with held as (select * from cell where records > 0),
size as (select combination_no, any_value(persons) as persons, sum(records) as records, count(*) as feeds from held group by combination_no),
banded as (
    select case when records <= 3 then records::int::varchar when records < 10 then '4_to_9' else '10_or_more' end as band, persons from size
)
select 'records', feed, '', sum(records * persons) from held group by feed
union all select 'persons', feed, '', sum(persons) from held group by feed
union all select 'clusters_of_' || band, '', '', sum(persons) from banded group by band
union all
select 'share_linked', h.feed, '', coalesce(sum(h.persons) filter (s.feeds > 1), 0) / sum(h.persons)
from held as h inner join size as s using (combination_no) group by h.feed
union all
select 'persons_in_both', a.feed, b.feed, sum(a.persons) from held as a inner join held as b using (combination_no)
where a.feed < b.feed group by a.feed, b.feed
union all select 'persons_in_both', feed, feed, sum(persons) from held where records > 1 group by feed
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
union all select 'mean_match_weight', '', '', sum(match_weight::decimal(18, 6))::double / count(*) from joining having count(*) > 0
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
    feeds = [feed for (feed,) in session.execute("select distinct feed from person_node order by feed").fetchall()]
    if feeds:
        counts = ", ".join(f"count(*) filter (feed = {literal(feed)}) as {_named(feed)}" for feed in feeds)
        for statement in (*COMBINATIONS.format(feeds=", ".join(map(_named, feeds)), counts=counts).split(";\n"), MEASURES):
            session.execute(statement).fetchall()
    for certainty in levels:
        session.execute(SIZES.format(certainty=certainty, suffix=suffix(certainty))).fetchall()
    session.execute(EDGES.format(level=levels[MODELLED])).fetchall()


def _named(feed: str) -> str:
    """A feed as the name of a column."""
    return '"' + feed.replace('"', '""') + '"'


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
