"""Whether those a provider takes on are less complex than those referred to it: the check for cherry-picking.

Where outcomes pay, a provider gains by turning away people unlikely to reach them. Of each complexity group some are referred and some of
those taken on. The test asks whether the share taken on is the same in all groups: Pearson's chi-squared, or the exact test of Freeman
and Halton (Biometrika 38, 1951; Fisher's for two groups) where fewer than five are expected in a cell. The size of the difference, more
complex against less complex, has Newcombe's hybrid score interval (method 10; Statistics in Medicine 17, 1998). Many providers are many
chances of a false alarm: Benjamini and Hochberg's adjustment (JRSS B 57, 1995) holds the share of false ones among those raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import Interval, numbers, wilson
from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

# Below so many expected in a cell the chi-squared distribution is not trusted (Cochran, Biometrics 10, 1954).
FEWEST_EXPECTED = 5
# Beyond so many people in the smaller row there are too many tables to go through one by one.
LARGEST_EXACT = 60


@dataclass(frozen=True)
class Test:
    """A test of two rows of counts: how it was made, its statistic (none for the exact test) and degrees of freedom, and its p value."""

    method: str
    statistic: float | None
    degrees: int
    p_value: float


def difference_of_shares(successes_a: float, trials_a: float, successes_b: float, trials_b: float) -> Interval:
    """Share a minus share b with Newcombe's interval.

    Raises:
        EstimateFault: no trials, or more successes than trials.
    """
    a, b = wilson(successes_a, trials_a), wilson(successes_b, trials_b)
    between = a.value - b.value
    below = ((a.value - a.low) ** 2 + (b.high - b.value) ** 2) ** 0.5
    above = ((a.high - a.value) ** 2 + (b.value - b.low) ** 2) ** 0.5
    return Interval(between, between - below, between + above)


def same_shares(taken: object, turned_away: object) -> Test:
    """Test that the same share is taken on in every group.

    Args:
        taken: people taken on, by group.
        turned_away: people referred and not taken on, by group.

    Returns:
        Groups nobody was referred from are left out. The chi-squared test where five or more are expected in every cell, else the exact
        one; the chi-squared test after all, named "chi-squared, few expected", where there are too many tables for the exact one.

    Raises:
        EstimateFault: counts below 0 or not whole, rows of different lengths, fewer than two groups, or nobody in one of the rows.
    """
    rows = numbers(taken, "taken"), numbers(turned_away, "turned away")
    if len(rows[0]) != len(rows[1]):
        raise EstimateFault("Both rows have the same groups")
    table = np.vstack(rows)
    if (table < 0).any() or (table != np.floor(table)).any():
        raise EstimateFault("Counts are whole numbers of 0 or more")
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        raise EstimateFault("A test needs two groups, somebody taken on and somebody turned away")
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    if expected.min() < FEWEST_EXPECTED and table.sum(axis=1).min() <= LARGEST_EXACT:
        return Test("exact", None, table.shape[1] - 1, _exact_p(table))
    from scipy.stats import chi2

    statistic = float(((table - expected) ** 2 / expected).sum())
    method = "chi-squared" if expected.min() >= FEWEST_EXPECTED else "chi-squared, few expected"
    return Test(method, statistic, table.shape[1] - 1, float(chi2.sf(statistic, table.shape[1] - 1)))


def adjusted_p_values(p_values: object) -> Numbers:
    """P values adjusted for their number, in the order given (Benjamini and Hochberg): calling those below 0.05 found, one in twenty of
    the calls is false at most, on average.

    Raises:
        EstimateFault: a value is not between 0 and 1.
    """
    found = numbers(p_values, "p values")
    if ((found < 0) | (found > 1)).any():
        raise EstimateFault("P values lie between 0 and 1")
    order = np.argsort(-found, kind="stable")
    ranks = np.arange(len(found), 0, -1)
    adjusted = np.empty(len(found))
    adjusted[order] = np.minimum.accumulate(np.minimum(found[order] * len(found) / np.maximum(ranks, 1), 1.0))
    return adjusted


def _exact_p(table: Numbers) -> float:
    """The probability of tables with these margins that are no likelier than this one."""
    from scipy.special import gammaln

    row = table[np.argmin(table.sum(axis=1))].astype(int)
    columns, total = table.sum(axis=0).astype(int), int(row.sum())
    tables = _fillings(columns, total)

    def likelihood(rows: Numbers) -> Numbers:
        ways = gammaln(columns + 1) - gammaln(rows + 1) - gammaln(columns - rows + 1)
        weight: Numbers = ways.sum(axis=-1)
        return weight

    found = likelihood(tables)
    every = np.logaddexp.reduce(found)
    # A billionth of leeway: tables as likely as this one may differ from it by rounding.
    return float(min(np.exp(np.logaddexp.reduce(found[found <= likelihood(row) + 1e-9]) - every), 1.0))


def _fillings(columns: Numbers, total: int) -> Numbers:
    """Every row of whole numbers that adds up to the total and exceeds no column."""
    partial = np.zeros((1, 0), dtype=int)
    for position, column in enumerate(columns):
        room_after = int(columns[position + 1 :].sum())
        grown = []
        for value in range(min(int(column), total) + 1):
            left = total - value - partial.sum(axis=1)
            kept = partial[(left >= 0) & (left <= room_after)]
            grown.append(np.hstack([kept, np.full((len(kept), 1), value)]))
        partial = np.vstack(grown)
    return partial
