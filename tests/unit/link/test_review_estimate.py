"""Precision and recall from verdicts: exact where all is judged, wide where little is, and right as often as they claim."""

from __future__ import annotations

import numpy as np
import pytest

from warehouse.link.review.estimate import Estimate, Tally, estimates, learnt_threshold, ratio_limits

SAMPLES = 400


def tally(frame: str, pairs: int, same: int, different: int, level: int | None = None, low: float | None = None, share: float = 1.0) -> Tally:
    return Tally("named", frame, level, low, pairs, share, same, different)


def at(found: list[Estimate], cut: str) -> Estimate:
    return next(estimate for estimate in found if estimate.cut == cut)


def test_what_is_judged_whole_is_known() -> None:
    strata = [tally("linked", 90, 90, 0, 1, 10), tally("linked", 10, 5, 5, 2, 4), tally("missed", 10, 5, 5)]
    balanced = at(estimates(strata), "balanced")
    assert (balanced.precision.value, balanced.precision.low, balanced.precision.high) == pytest.approx((0.95, 0.95, 0.95))
    assert (balanced.recall.value, balanced.recall.low, balanced.recall.high) == pytest.approx((0.95, 0.95, 0.95))
    strict = at(estimates(strata), "strict")
    assert strict.precision.value == 1
    assert strict.recall.value == pytest.approx(0.9)


def test_strata_count_by_their_size_and_not_by_their_sample() -> None:
    found = estimates([tally("linked", 9_000, 10, 0, 1, 10), tally("linked", 1_000, 5, 5, 2, 4)])
    assert at(found, "balanced").precision.value == pytest.approx(0.95)
    assert at(found, "10 bits").pairs == 9_000


def test_after_ten_verdicts_without_a_surprise_a_quarter_may_still_be_wrong() -> None:
    precision = at(estimates([tally("linked", 10_000, 10, 0, 1, 10)]), "strict").precision
    assert precision.value == precision.high == 1
    assert 0.7 < precision.low < 0.85


def test_nothing_is_claimed_of_strata_that_nobody_judged() -> None:
    estimate = at(estimates([tally("linked", 100, 50, 0, 1, 10), tally("linked", 100, 0, 0, 1, 20)]), "strict")
    assert estimate.unjudged == 100
    assert estimate.precision.low < 0.5
    assert estimate.precision.high == 1


def test_pairs_that_blocking_missed_lower_recall_alone() -> None:
    without = at(estimates([tally("linked", 100, 20, 0, 1, 10)]), "strict")
    missed = at(estimates([tally("linked", 100, 20, 0, 1, 10), tally("missed", 50, 10, 10, share=0.5)]), "strict")
    assert missed.precision == without.precision
    assert without.recall.value == 1
    assert missed.recall.value == pytest.approx(100 / 150), "half of the hundred pairs that the fifty stand for"


def test_the_learnt_threshold_is_the_lowest_that_is_good_enough() -> None:
    strata = [tally("linked", 1_000, 400, 0, 1, 10), tally("linked", 100, 45, 5, 2, 4), tally("linked", 100, 5, 45, 3, 0)]
    found = estimates(strata)
    likely = learnt_threshold(found, "named", 0.98, is_sure=False)
    assert likely is not None
    assert likely.bits == 4
    sure = learnt_threshold(found, "named", 0.99, is_sure=True)
    assert sure is not None
    assert sure.bits == 10
    assert learnt_threshold(found, "named", 1.0, is_sure=True) is None
    assert learnt_threshold(found, "minimal", 0.9, is_sure=False) is None


def test_limits_of_a_ratio() -> None:
    low, high = ratio_limits((10, 5, 15), (100, 90, 110))
    assert low < 0.1 < high
    assert ratio_limits((0, 0, 0), (100, 90, 110)) == (0, 0)
    assert ratio_limits((10, 5, 15), (1, 0, 3))[1] == float("inf")


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Many samples of 300 from one population whose shares are known."""
    sizes = {"strict": (9_000, 0.998), "balanced": (600, 0.93), "guarded": (400, 0.3), "missed": (500, 0.1)}
    drawn = {"strict": 160, "balanced": 50, "guarded": 45, "missed": 45}
    true = {name: round(size * share) for name, (size, share) in sizes.items()}
    precision = (true["strict"] + true["balanced"]) / 9_600
    recall = (true["strict"] + true["balanced"]) / sum(true.values())
    random = np.random.default_rng(7)
    hits = np.zeros(2)
    for _ in range(SAMPLES):
        same = {name: int(random.hypergeometric(true[name], sizes[name][0] - true[name], drawn[name])) for name in sizes}
        strata = [
            tally("linked", 9_000, same["strict"], drawn["strict"] - same["strict"], 1, 10),
            tally("linked", 600, same["balanced"], drawn["balanced"] - same["balanced"], 2, 4),
            tally("guarded", 400, same["guarded"], drawn["guarded"] - same["guarded"]),
            tally("missed", 500, same["missed"], drawn["missed"] - same["missed"]),
        ]
        estimate = at(estimates(strata), "balanced")
        hits += [estimate.precision.low <= precision <= estimate.precision.high, estimate.recall.low <= recall <= estimate.recall.high]
    assert (hits / SAMPLES > 0.92).all(), hits
