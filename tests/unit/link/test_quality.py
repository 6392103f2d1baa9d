"""The measures of a night's scoring: edges by weight, certainty, rule and pair of feeds, and pairs compared by rule."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.link.blocking import NAMED_RULES
from warehouse.link.candidates import CANDIDATE_VOLUME
from warehouse.link.quality import measure_quality, rule_name


@pytest.fixture
def scored(session: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Three records with names and one without, four edges, and what was compared."""
    session.execute("create table record (record_no int, feed varchar, is_named boolean)").fetchall()
    session.execute("insert into record values (1, 'police', true), (2, 'police', true), (3, 'housing', true), (4, 'treatment', false)").fetchall()
    session.execute(
        """
        create table edge as select * from (values
            (1, 2, 'link-9', 5.9, 2, 2), (1, 3, 'link-9', -0.5, 2, 3), (2, 3, 'link-9', 99.0, 0, 1), (3, 4, 'minimal-9', 12.0, 1, 1)
        ) as e (record_l, record_r, model, match_weight, match_key, level)
        """
    ).fetchall()
    session.execute(CANDIDATE_VOLUME).fetchall()
    session.execute(
        "insert into candidate_volume values ('named', 2, 'rule', 70), ('named_police', 2, 'rule', 5), ('client', 1, 'rule', 2), ('person', 1, 'rule', 9)"
    ).fetchall()
    session.execute("create table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()
    return session


def measures(session: duckdb.DuckDBPyConnection, metric: str) -> dict[tuple[str, str], float]:
    measure_quality(session, 2)
    return {(a, b): value for a, b, value in session.execute("select feed_a, feed_b, value from metric where metric = ?", [metric]).fetchall()}


def test_edges_by_weight_lie_in_bins_of_two_bits(scored: duckdb.DuckDBPyConnection) -> None:
    assert measures(scored, "edges_by_weight") == {("link-9", "4"): 1, ("link-9", "-2"): 1, ("link-9", "40"): 1, ("minimal-9", "12"): 1}


def test_edges_by_the_certainty_from_which_they_join(scored: duckdb.DuckDBPyConnection) -> None:
    assert measures(scored, "edges_by_level") == {("link-9", "strict"): 1, ("link-9", "balanced"): 1, ("link-9", "inclusive"): 1, ("minimal-9", "strict"): 1}


def test_edges_of_feeds_are_those_that_join(scored: duckdb.DuckDBPyConnection) -> None:
    assert measures(scored, "edges_of_feeds") == {("police", "police"): 1, ("housing", "police"): 1, ("housing", "treatment"): 1}


def test_pairs_compared_and_edges_by_rule(scored: duckdb.DuckDBPyConnection) -> None:
    assert measures(scored, "candidates_by_rule") == {("named", "surname_sound, dob"): 75, ("minimal", "dob, sectors"): 11}
    scored.execute("delete from metric").fetchall()
    assert measures(scored, "edges_by_rule") == {("named", "nino"): 1, ("named", "surname_sound, dob"): 2, ("minimal", "dob, sectors"): 1}


def test_a_night_without_edges_has_no_measures(session: duckdb.DuckDBPyConnection) -> None:
    session.execute("create table record (record_no int, feed varchar, is_named boolean)").fetchall()
    session.execute("create table edge (record_l int, record_r int, model varchar, match_weight double, match_key int, level int)").fetchall()
    session.execute("create table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()
    assert measures(session, "edges_by_rule") == {}


def test_names_of_rules() -> None:
    assert "forename = surname, surname = forename, birth_year" in [rule_name(rule) for rule in NAMED_RULES]
    assert rule_name("l.dob = r.dob and l.record_no <> r.record_no and (l.feed <> r.feed or l.feed not in ('a'))") == "dob"
