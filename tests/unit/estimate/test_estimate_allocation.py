"""Money to the pound: the textbook's seats, sums that add up, and a what-if that takes from some what it gives to others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from warehouse.estimate.allocation import allocate, chance_limits, largest_remainder
from warehouse.estimate.errors import EstimateFault

AREAS = pd.DataFrame({"area_code": ["A", "B", "C"], "need_weight": [5.0, 3.0, 2.0], "completions": [100, 100, 50]})


def test_ten_seats_by_largest_remainder() -> None:
    """The usual example: 100,000 votes, a quota of 10,000."""
    assert largest_remainder(10, [47_000, 16_000, 15_900, 12_000, 6_000, 3_100]).tolist() == [5, 2, 1, 1, 1, 0]


def test_sums_add_up_whatever_the_weights() -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        weights = random.gamma(0.5, 100, 151)
        total = int(random.integers(0, 500_000_000))
        found = largest_remainder(total, weights)
        assert found.sum() == total
        assert np.abs(found - total * weights / weights.sum()).max() <= 1


def test_equal_remainders_go_to_the_earlier_row() -> None:
    assert largest_remainder(10, [1, 1, 1]).tolist() == [4, 3, 3]


def test_a_fifth_rests_on_completions() -> None:
    found = allocate(AREAS, 1_000_001)
    assert found["by_completions"].tolist() == [80_000, 80_000, 40_000]
    assert found["by_need"].tolist() == [400_001, 240_000, 160_000]
    assert found["allocation"].sum() == 1_000_001


def test_nothing_to_share_by_is_refused() -> None:
    with pytest.raises(EstimateFault):
        largest_remainder(10, [0, 0])
    with pytest.raises(EstimateFault, match="twice"):
        allocate(pd.concat([AREAS, AREAS]), 10)


def test_limits_hold_what_the_long_run_would_give() -> None:
    """Twelve areas whose true rates are known: the money their rates would bring lies between the limits 95 times in 100."""
    random = np.random.default_rng(11)
    held = 0
    for seed in range(80):
        treated = random.integers(80, 600, 12)
        rates = random.uniform(0.08, 0.25, 12)
        areas = pd.DataFrame(
            {"area_code": [f"E{n:02}" for n in range(12)], "need_weight": 1.0, "in_treatment": treated, "completions": random.binomial(treated, rates)}
        )
        limits = chance_limits(areas, 10_000_000, draws=500, seed=seed)
        need = largest_remainder(8_000_000, areas["need_weight"])
        truth = need + 2_000_000 * treated * rates / (treated * rates).sum()
        held += int(((limits["allocation_lower_95"] <= truth) & (truth <= limits["allocation_upper_95"])).sum())
    assert held >= 960 * 0.95 - 3.1 * (960 * 0.95 * 0.05) ** 0.5


def test_what_rests_on_nothing_does_not_move() -> None:
    limits = chance_limits(AREAS.assign(in_treatment=500), 1_000_000, reward_share=0.0, draws=50)
    assert limits["allocation_lower_95"].tolist() == limits["allocation_upper_95"].tolist() == [500_000, 300_000, 200_000]
    with pytest.raises(EstimateFault, match="More completed"):
        chance_limits(AREAS.assign(in_treatment=10), 1_000_000)
