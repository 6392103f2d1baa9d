"""What a night's persons and edges come to, in numbers."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.link import metrics
from warehouse.link.metrics import Churn
from warehouse.link.score import LEVELS


@pytest.fixture
def measured(session: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], float]:
    """Measures of two records of one feed and one of another that are one person, joined by a cut edge to a fourth record."""
    session.execute(
        """
        create table node as
        select * from (values (1, 'a', 1, 1, 1), (2, 'a', 2, 1, 1), (3, 'b', 3, 1, 1), (4, 'b', 4, 4, 1)) as t (record_no, feed, strict, balanced, inclusive);
        create table person_node as select record_no, feed, balanced as cluster_no from node;
        create table edge as
        select * from (values (1, 2, 10.0, 1), (2, 3, 6.0, 2), (3, 4, 5.0, 2), (1, 4, 1.0, 3)) as t (record_l, record_r, match_weight, level);
        create table metric (metric varchar, feed_a varchar, feed_b varchar, value double);
        create table kept_records as select * from (values ('strict', 4), ('balanced', 200), ('inclusive', 0)) as t (certainty, records)
        """
    ).fetchall()
    metrics.measure(session, LEVELS)
    assert metrics.churn(session, {"balanced": 1}) == {"strict": Churn(0, 4), "balanced": Churn(1, 200), "inclusive": Churn(0, 0)}
    return {(metric, a, b): value for metric, a, b, value in session.execute("from metric").fetchall()}


def test_persons_of_each_certainty(measured: dict[tuple[str, str, str], float]) -> None:
    assert {name: measured[f"persons_total{name}", "", ""] for name in ("_strict", "", "_inclusive")} == {"_strict": 4, "": 2, "_inclusive": 1}
    assert {name: measured[f"largest_cluster{name}", "", ""] for name in ("_strict", "", "_inclusive")} == {"_strict": 1, "": 3, "_inclusive": 4}


def test_persons_of_feeds(measured: dict[tuple[str, str, str], float]) -> None:
    assert (measured["records", "a", ""], measured["persons", "a", ""], measured["persons_in_both", "a", "a"]) == (2, 1, 1)
    assert (measured["records", "b", ""], measured["persons", "b", ""], measured["persons_in_both", "a", "b"]) == (2, 2, 1)
    assert (measured["share_linked", "a", ""], measured["share_linked", "b", ""]) == (1, 0.5)
    assert (measured["clusters_of_1", "", ""], measured["clusters_of_3", "", ""]) == (1, 1)


def test_edges_are_those_that_join_at_the_modelled_certainty(measured: dict[tuple[str, str, str], float]) -> None:
    assert measured["edges_per_record", "", ""] == 3 / 4
    assert measured["mean_match_weight", "", ""] == 7
    assert measured["edges_cut_by_conflict", "", ""] == 1


def test_churn_of_each_certainty(measured: dict[tuple[str, str, str], float]) -> None:
    assert {name: measured[f"churn{name}", "", ""] for name in ("_strict", "", "_inclusive")} == {"_strict": 0, "": 0.005, "_inclusive": 0}
