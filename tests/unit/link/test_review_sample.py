"""How the pairs of a review sample are shared out over strata."""

from __future__ import annotations

from warehouse.link.review.sample import LEAST_DRAWN, allot


def test_every_stratum_gets_some_and_none_more_than_it_has() -> None:
    sizes = {"safe": 1_000_000, "doubtful": 500, "tiny": 2}
    given = allot(sizes, {"safe": 1.0, "doubtful": 0.5, "tiny": 0.5}, 300)
    assert given["tiny"] == 2
    assert given["doubtful"] > LEAST_DRAWN
    assert 295 <= sum(given.values()) <= 305


def test_doubtful_pairs_are_looked_at_more_often_than_safe_ones() -> None:
    given = allot({"safe": 1_000, "doubtful": 1_000}, {"safe": 0.999, "doubtful": 0.5}, 100)
    assert given["doubtful"] > 1.5 * given["safe"]


def test_a_small_night_is_judged_whole() -> None:
    assert allot({"a": 10, "b": 3}, {"a": 0.9, "b": 0.1}, 300) == {"a": 10, "b": 3}
