"""Clusters from edges: plain components, conflicts that cut, and results that do not depend on the order of edges."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from warehouse.link.cluster import clusters, count_cut, nested_clusters
from warehouse.link.models import Certainty

Pairs = list[tuple[int, int]]
Weighted = list[tuple[int, int, float]]


def run(session: duckdb.DuckDBPyConnection, edges: Weighted, conflicts: Pairs) -> tuple[dict[int, int], int]:
    session.execute("create or replace table edge (record_l int, record_r int, match_weight double)").fetchall()
    session.execute("create or replace table conflict (record_l int, record_r int)").fetchall()
    if edges:
        session.executemany("insert into edge values (?, ?, ?)", edges)
    if conflicts:
        session.executemany("insert into conflict values (?, ?)", conflicts)
    clusters(session, "edge", "conflict", "cluster")
    return dict(session.execute("select record_no, cluster_no from cluster").fetchall()), count_cut(session, "edge", "cluster")


def one_by_one(edges: Weighted, conflicts: Pairs) -> dict[int, int]:
    """The definition: edges in order of weight, each joining its clusters unless a conflict lies between them."""
    of = {n: n for left, right, _ in edges for n in (left, right)}
    for left, right, _ in sorted(edges, key=lambda e: (-e[2], min(e[:2]), max(e[:2]))):
        a, b = of[left], of[right]
        members_a, members_b = ({n for n in of if of[n] == part} for part in (a, b))
        if a != b and not any((x in members_a and y in members_b) or (x in members_b and y in members_a) for x, y in conflicts):
            of |= dict.fromkeys(members_a | members_b, min(a, b))
    return of


def test_no_edges(session: duckdb.DuckDBPyConnection) -> None:
    assert run(session, [], []) == ({}, 0)


def test_without_conflicts_components_are_clusters(session: duckdb.DuckDBPyConnection) -> None:
    found, cut = run(session, [(1, 2, 5.0), (3, 2, 1.0), (8, 7, 2.0)], [])
    assert found == {1: 1, 2: 1, 3: 1, 7: 7, 8: 7}
    assert cut == 0


def test_a_conflict_cuts_at_the_weakest_edge(session: duckdb.DuckDBPyConnection) -> None:
    found, cut = run(session, [(1, 2, 9.0), (2, 3, 4.0), (3, 4, 8.0)], [(1, 4)])
    assert found == {1: 1, 2: 1, 3: 3, 4: 3}
    assert cut == 1


def test_records_in_conflict_never_share_a_cluster_however_heavy_the_edge(session: duckdb.DuckDBPyConnection) -> None:
    found, _ = run(session, [(1, 2, 99.0)], [(2, 1)])
    assert found == {1: 1, 2: 2}


def test_equal_weights_are_decided_by_record_number(session: duckdb.DuckDBPyConnection) -> None:
    edges = [(1, 2, 5.0), (2, 3, 5.0)]
    assert run(session, edges, [(1, 3)])[0] == run(session, edges[::-1], [(1, 3)])[0] == {1: 1, 2: 1, 3: 3}


@pytest.mark.parametrize("seed", range(8))
def test_joining_in_rounds_equals_joining_one_by_one(session: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = {(int(min(p)), int(max(p))) for p in rng.integers(1, 31, (60, 2)) if p[0] != p[1]}
    edges = [(left, right, float(w)) for (left, right), w in zip(sorted(pairs), rng.integers(1, 12, len(pairs)), strict=True)]
    conflicts = [(int(a), int(b)) for a, b in rng.integers(1, 31, (15, 2)) if a != b]
    found, _ = run(session, edges, conflicts)
    expected = one_by_one(edges, conflicts)
    assert {n: min(m for m in expected if expected[m] == expected[n]) for n in expected} == found


LEVELS: dict[Certainty, int] = {"strict": 1, "balanced": 2, "inclusive": 3}
Levelled = list[tuple[int, int, float, int]]


def run_nested(session: duckdb.DuckDBPyConnection, edges: Levelled, conflicts: Pairs) -> dict[str, dict[int, int]]:
    """The clusters of each certainty: record to its cluster."""
    session.execute("create or replace table edge (record_l int, record_r int, match_weight double, level int)").fetchall()
    session.execute("create or replace table conflict (record_l int, record_r int)").fetchall()
    session.executemany("insert into edge values (?, ?, ?, ?)", edges)
    if conflicts:
        session.executemany("insert into conflict values (?, ?)", conflicts)
    nested_clusters(session, "edge", "conflict", "cluster", LEVELS)
    rows = session.execute("select record_no, strict, balanced, inclusive from cluster").fetchall()
    return {certainty: {row[0]: row[level] for row in rows} for certainty, level in LEVELS.items()}


def parts(of: dict[int, int]) -> set[frozenset[int]]:
    return {frozenset(n for n in of if of[n] == part) for part in of.values()}


def test_each_certainty_joins_by_its_own_edges_and_the_stricter_ones(session: duckdb.DuckDBPyConnection) -> None:
    found = run_nested(session, [(1, 2, 20.0, 1), (2, 3, 6.0, 2), (3, 4, 1.0, 3)], [])
    assert found["strict"] == {1: 1, 2: 1, 3: 3, 4: 4}
    assert found["balanced"] == {1: 1, 2: 1, 3: 1, 4: 4}
    assert found["inclusive"] == {1: 1, 2: 1, 3: 1, 4: 1}


def test_a_lax_edge_never_takes_apart_what_a_strict_one_joined_however_heavy_it_is(session: duckdb.DuckDBPyConnection) -> None:
    found = run_nested(session, [(1, 2, 5.0, 1), (2, 3, 90.0, 3)], [(1, 3)])
    assert found["inclusive"] == {1: 1, 2: 1, 3: 3}


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_nested_and_equal_to_joining_one_by_one(session: duckdb.DuckDBPyConnection, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = sorted({(int(min(p)), int(max(p))) for p in rng.integers(1, 31, (60, 2)) if p[0] != p[1]})
    drawn = zip(pairs, rng.integers(1, 12, len(pairs)), rng.integers(1, 4, len(pairs)), strict=True)
    edges = [(left, right, float(weight), int(level)) for (left, right), weight, level in drawn]
    conflicts = [(int(a), int(b)) for a, b in rng.integers(1, 31, (15, 2)) if a != b]
    found = run_nested(session, edges, conflicts)
    for strict, lax in (("strict", "balanced"), ("balanced", "inclusive")):
        assert all(any(part <= whole for whole in parts(found[lax])) for part in parts(found[strict]))
    # Stricter edges first is the same as a weight that no laxer edge reaches.
    for certainty, level in LEVELS.items():
        expected = one_by_one([(left, right, weight - 100 * of) for left, right, weight, of in edges if of <= level], conflicts)
        joined = {part for part in parts(found[certainty]) if len(part) > 1}
        assert joined == {part for part in parts(expected) if len(part) > 1}
