"""Rates put right for linkage: by construction, by Rubin's rules worked by hand, and over many populations whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.common import Interval, wilson
from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.linkage_error import adjusted_rate, imputed_rate, rubin

SURE = Interval(1.0, 1.0, 1.0)


def test_perfect_linkage_changes_nothing() -> None:
    found, naive = adjusted_rate(30, 100, SURE, SURE), wilson(30, 100)
    assert (found.value, found.low, found.high) == pytest.approx((naive.value, naive.low, naive.high))


def test_a_share_of_one_lies_inside_its_interval() -> None:
    """672 of 672: the sum that makes the limit falls short of 1 by float rounding."""
    perfect = wilson(672, 672)
    assert perfect.high == perfect.value == 1
    assert wilson(0, 672).low == 0


def test_the_rate_that_linkage_hid() -> None:
    """Of 1,000, 300 have it; 240 of them are seen (recall 0.8) and 60 more wrongly (precision 0.8): the seen 300 stand for 300."""
    assert adjusted_rate(300, 1_000, Interval(0.8, 0.75, 0.85), Interval(0.8, 0.75, 0.85)).value == pytest.approx(0.3)
    assert adjusted_rate(240, 1_000, SURE, Interval(0.8, 0.75, 0.85)).value == pytest.approx(0.3)


def test_uncertain_recall_widens_the_interval_on_its_side() -> None:
    found = adjusted_rate(240, 1_000, SURE, Interval(0.8, 0.5, 0.81))
    naive = wilson(240, 1_000)
    assert found.high > naive.high / 0.8 * 1.3
    assert found.low == pytest.approx(naive.low / 0.8, rel=0.02)


def test_an_impossible_rate_is_refused() -> None:
    with pytest.raises(EstimateFault, match="more people than there are"):
        adjusted_rate(900, 1_000, SURE, Interval(0.5, 0.49, 0.51))
    with pytest.raises(EstimateFault, match="recall"):
        adjusted_rate(10, 100, SURE, Interval(0.0, 0.0, 0.1))


def test_rubins_rules_by_hand() -> None:
    """Estimates 1, 2, 3 with variance 1: between 1, total 1 + 4/3, degrees 2 x (1 + 3/4) squared."""
    found = rubin([1, 2, 3], [1, 1, 1])
    assert found.interval.value == 2
    assert found.std_error == pytest.approx((7 / 3) ** 0.5)
    assert found.degrees == pytest.approx(6.125)
    assert found.lost == pytest.approx(4 / 7)


def test_links_that_are_certain_lose_nothing() -> None:
    links = pd.DataFrame({"record": range(30), "person": range(30), "probability": 1.0})
    found = imputed_rate(links, 100)
    assert found.interval.value == pytest.approx(0.3)
    assert found.lost == pytest.approx(0)


def test_a_record_is_never_two_persons() -> None:
    links = pd.DataFrame({"record": [1, 1], "person": ["a", "b"], "probability": [0.5, 0.5]})
    assert imputed_rate(links, 2, draws=50).interval.value == 0.5
    with pytest.raises(EstimateFault, match="at most 1"):
        imputed_rate(links.assign(probability=0.6), 2)


def test_the_order_of_rows_does_not_matter() -> None:
    links = pd.DataFrame({"record": np.arange(50).repeat(2), "person": np.arange(100), "probability": 0.3})
    assert imputed_rate(links, 200) == imputed_rate(links.sample(frac=1, random_state=1), 200)


def test_adjusted_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Rate 0.3, recall 0.8, 30 false positives a 1,000; precision and recall judged on 200 and 150 of their own."""
    random, runs, held, naive = np.random.default_rng(8), 500, 0, 0
    for _ in range(runs):
        true, false = random.binomial(1_000, 0.24), random.binomial(1_000, 0.03)
        precision, recall = wilson(random.binomial(200, 0.24 / 0.27), 200), wilson(random.binomial(150, 0.8), 150)
        found = adjusted_rate(true + false, 1_000, precision, recall)
        held += found.low <= 0.3 <= found.high
        plain = wilson(true + false, 1_000)
        naive += plain.low <= 0.3 <= plain.high
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert naive < 0.7 * runs


def test_imputed_intervals_hold_the_truth_at_least_as_often_as_they_say() -> None:
    """People with one possible link each, right as often as it says; the truth is the rate of the process. Where the probabilities are
    exactly right, as here, Rubin's rules are known to be cautious (Meng, 1994)."""
    random, runs, people, held = np.random.default_rng(9), 150, 400, 0
    for _ in range(runs):
        linked = np.flatnonzero(random.random(people) < 0.5)
        links = pd.DataFrame({"record": linked, "person": linked, "probability": random.choice([0.3, 0.95], len(linked))})
        held += (found := imputed_rate(links, people, seed=int(random.integers(1 << 30))).interval).low <= 0.3125 <= found.high
    assert binom.cdf(held, runs, 0.95) > 0.001
