"""Money to the pound: the textbook's seats, sums that add up, and a what-if that takes from some what it gives to others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from warehouse.estimate.allocation import allocate, largest_remainder, what_if
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


def test_what_one_area_gains_others_lose() -> None:
    found = what_if(AREAS, 1_000_000, {"C": 300})
    assert found["difference"].tolist() == [-40_000, -40_000, 80_000]
    with pytest.raises(EstimateFault, match="No such area: Z"):
        what_if(AREAS, 1_000_000, {"Z": 1})


def test_nothing_to_share_by_is_refused() -> None:
    with pytest.raises(EstimateFault):
        largest_remainder(10, [0, 0])
    with pytest.raises(EstimateFault, match="twice"):
        allocate(pd.concat([AREAS, AREAS]), 10)
