"""Difference-in-differences: Card and Krueger's table, a trend before the start, and intervals over many panels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.difference import difference_in_differences
from warehouse.estimate.errors import EstimateFault


def panel(seed: int, effect: float, areas: int = 40, treated: int = 15, periods: int = 8, drift: float = 0.0) -> pd.DataFrame:
    """Rates around 0.4 with areas and periods of their own, an area's shocks lasting; the pilot starts in period 5."""
    random = np.random.default_rng(seed)
    area, period = np.repeat(np.arange(areas), periods), np.tile(np.arange(periods), areas)
    mark = (area < treated).astype(int)
    shocks = random.normal(0, 0.02, (areas, periods)).cumsum(axis=1).ravel()
    rate = 0.4 + random.normal(0, 0.05, areas)[area] + 0.01 * period + shocks + effect * mark * (period >= 5) + drift * mark * period
    people = random.integers(300, 900, areas)[area]
    return pd.DataFrame({"area": area, "period": period, "treated": mark, "numerator": rate * people, "denominator": people})


def test_card_and_krueger() -> None:
    """Full-time jobs a store, New Jersey 20.44 to 21.03, Pennsylvania 23.33 to 21.17 (American Economic Review 84, 1994): 2.75 of the means."""
    means = {("NJ", 0): 20.44, ("NJ", 1): 21.03, ("PA", 0): 23.33, ("PA", 1): 21.17}
    rows = [(f"{state}{store}", after, int(state == "NJ"), mean + store, 1.0) for (state, after), mean in means.items() for store in (-1, 0, 1)]
    found = difference_in_differences(pd.DataFrame(rows, columns=["area", "period", "treated", "numerator", "denominator"]), 1)
    assert found.interval.value == pytest.approx(2.75)
    assert found.pre_trend is None
    assert any("cannot be tested" in said for said in found.warnings)
    assert any("Only 3 areas are treated" in said for said in found.warnings)


def test_the_plot_starts_from_the_period_before() -> None:
    found = difference_in_differences(panel(1, 0.1), 5)
    rows = found.by_period.set_index("period")
    assert rows.loc[4].tolist() == [0, 0, 0]
    assert (rows.loc[5:, "effect"] > 0.03).all()
    assert found.p < 0.01 and found.p_placebo < 0.01
    assert found.pre_trend_p is not None


def test_areas_that_drifted_apart_before_are_found_out() -> None:
    found = difference_in_differences(panel(2, 0.0, drift=0.05), 5)
    assert found.pre_trend_p is not None and found.pre_trend_p < 0.01
    assert any("did not move in step" in said for said in found.warnings)


def test_what_cannot_be_compared_is_refused() -> None:
    rows = panel(1, 0.1)
    with pytest.raises(EstimateFault, match="once in every period"):
        difference_in_differences(rows.iloc[1:], 5)
    with pytest.raises(EstimateFault, match="before the start"):
        difference_in_differences(rows, 0)
    with pytest.raises(EstimateFault, match="Two treated"):
        difference_in_differences(rows.assign(treated=0), 5)


def test_intervals_and_placebos_hold_as_often_as_they_say() -> None:
    """Shocks that last make plain errors far too small; those by area are right, and so is chance among areas where nothing happened."""
    runs, held, false = 100, 0, 0
    for seed in range(runs):
        found = difference_in_differences(panel(seed, 0.05), 5, draws=1)
        held += found.interval.low <= 0.05 <= found.interval.high
        false += difference_in_differences(panel(1_000 + seed, 0.0, treated=4), 5, draws=199).p_placebo <= 0.05
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert binom.sf(false - 1, runs, 0.05) > 0.001
