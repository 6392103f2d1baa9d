"""Cherry-picking: worked examples of each test, and how often they find what was put into the data."""

from __future__ import annotations

import numpy as np
import pytest

from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.selection import adjusted_p_values, difference_of_shares, same_shares


def test_newcombe_s_own_example() -> None:
    """Newcombe 1998, table II, example a, method 10: 56 of 70 and 48 of 80, 0.2 from 0.0524 to 0.3339."""
    found = difference_of_shares(56, 70, 48, 80)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_the_lady_tasting_tea() -> None:
    """Fisher 1935: three of four cups right each way has p = 34 / 70 on both sides."""
    found = same_shares([3, 1], [1, 3])
    assert found.method == "exact"
    assert found.p_value == pytest.approx(34 / 70)


def test_exact_p_of_four_groups_worked_by_hand() -> None:
    """One turned away of four groups of 1, 2, 3 and 4: each table has the group's share; ones of at most 2 in 10 are 1 + 2."""
    assert same_shares([1, 1, 3, 4], [0, 1, 0, 0]).p_value == pytest.approx(0.3)
    assert same_shares([0, 2, 3, 4], [1, 0, 0, 0]).p_value == pytest.approx(0.1)


def test_exact_p_of_two_groups_agrees_with_scipy() -> None:
    from scipy.stats import fisher_exact

    random = np.random.default_rng(5)
    for _ in range(20):
        table = random.integers(0, 6, (2, 2)) + np.array([[1], [0]])
        if table[1].sum():
            assert same_shares(table[0], table[1]).p_value == pytest.approx(fisher_exact(table).pvalue)


def test_chi_squared_of_a_textbook_table() -> None:
    """Agresti 2007, table 2.5 (gender by party, 1991): 30.1 with 2 degrees of freedom."""
    found = same_shares([762, 327, 468], [484, 239, 477])
    assert (found.method, found.degrees) == ("chi-squared", 2)
    assert found.statistic == pytest.approx(30.07, abs=0.01)


def test_groups_nobody_was_referred_from_are_left_out() -> None:
    assert same_shares([30, 0, 40], [20, 0, 30]).degrees == 1


def test_too_many_tables_for_the_exact_test() -> None:
    assert same_shares([2000, 300, 2], [900, 200, 1]).method == "chi-squared, few expected"


@pytest.mark.parametrize(("taken", "turned"), [([1, 2], [0, 0]), ([1], [1]), ([1, -1], [1, 1]), ([1, 0.5], [1, 1]), ([1, 2], [1])])
def test_nothing_to_test(taken: list[float], turned: list[float]) -> None:
    with pytest.raises(EstimateFault):
        same_shares(taken, turned)


def test_adjusted_p_values_worked_by_hand() -> None:
    """0.01 x 3 / 1, 0.02 x 3 / 2 and 0.04 x 3 / 3."""
    assert adjusted_p_values([0.04, 0.01, 0.02]).tolist() == pytest.approx([0.04, 0.03, 0.03])
    assert adjusted_p_values([]).tolist() == []


MIX = np.array([0.35, 0.30, 0.22, 0.13])


def referrals(random: np.random.Generator, people: int, taken_on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """People referred of each complexity group, and those of them taken on."""
    referred = random.multinomial(people, MIX)
    return referred, random.binomial(referred, taken_on)


def test_bias_that_was_put_in_is_found_and_the_interval_holds_it() -> None:
    """The more complex are taken on 70 times in 100, the others 90: 300 referrals, 400 times."""
    random = np.random.default_rng(17)
    held = found = 0
    for _ in range(400):
        referred, taken = referrals(random, 300, np.array([0.9, 0.9, 0.7, 0.7]))
        between = difference_of_shares(taken[2:].sum(), referred[2:].sum(), taken[:2].sum(), referred[:2].sum())
        held += between.low <= -0.2 <= between.high
        found += same_shares(taken, referred - taken).p_value < 0.05
    # 95 in 100, less what chance allows one time in a thousand
    assert held >= 400 * 0.95 - 3.1 * (400 * 0.95 * 0.05) ** 0.5
    assert found > 360


def test_no_bias_raises_few_alarms() -> None:
    """Nine in ten of everybody: with few turned away the exact test keeps below 5 in 100; over many providers nearly none are named."""
    random = np.random.default_rng(18)
    alarms, named = 0, 0
    for _ in range(40):
        p_values = []
        for _ in range(25):
            referred, taken = referrals(random, 60, np.full(4, 0.9))
            if 0 < taken.sum() < referred.sum():
                p_values.append(same_shares(taken, referred - taken).p_value)
        alarms += sum(p < 0.05 for p in p_values)
        named += bool((adjusted_p_values(p_values) < 0.05).any())
    assert alarms <= 1000 * 0.05 + 3.1 * (1000 * 0.05 * 0.95) ** 0.5
    assert named <= 6
