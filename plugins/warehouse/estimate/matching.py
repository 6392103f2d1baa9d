"""Propensity scores and nearest-neighbour matching.

Sources: Rosenbaum and Rubin, Biometrika 70, 1983; caliper of 0.2 standard deviations of the logit of the score, Austin, Pharmaceutical
Statistics 10, 2011; standardised differences, Austin, Statistics in Medicine 28, 2009 (a tenth and more is imbalance). Results of
the matched people: `matched_results`.

Assumed: everything that decides both who is treated and what happens is among the covariates. Nothing in the data can show that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import numbers
from warehouse.estimate.errors import EstimateFault, TooFewPeople
from warehouse.estimate.glm import design, fit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

CALIPER = 0.2
# The Justice Data Lab asks for 60 people or more before it analyses a programme (recalled).
MINIMUM = 60
IMBALANCE = 0.1


@dataclass(frozen=True)
class Matched:
    """Pairs of one treated and one other person, as positions in the frame given, and how alike the two sides are.

    `balance` has a row for each covariate (a value of it): covariate, treated_mean, before_mean, after_mean, before, after (standardised
    differences) and is_balanced. `score` is everybody's propensity.
    """

    treated: Numbers
    others: Numbers
    score: Numbers
    balance: pd.DataFrame
    submitted: int

    @property
    def people(self) -> int:
        """Treated people with a match."""
        return len(self.treated)


def match(
    people: pd.DataFrame,
    treated: str,
    covariates: Sequence[str],
    order: str,
    caliper: float = CALIPER,
    minimum: int = MINIMUM,
    within: str | None = None,
) -> Matched:
    """Match every treated person to the nearest other one by propensity, each used once, none farther than the caliper.

    Args:
        people: a row a person.
        treated: the column that is 1 for the treated and 0 for the others.
        covariates: what decides who is treated.
        order: a column without repeats (the person's id) that decides between people with the same score, so that the same people always
            give the same pairs whatever the order of rows.
        caliper: in standard deviations of the logit of the score.
        minimum: fewest treated people, before and after matching.
        within: a column both of a pair have the same value of, as the quarter they entered in; anybody may be paired with anybody when not given.

    Raises:
        TooFewPeople: fewer than the minimum.
        EstimateFault: a mark that is not 0/1, an order with repeats, or a model that cannot be fitted.
    """
    mark = numbers(people[treated], treated)
    if not np.isin(mark, (0, 1)).all() or people[order].duplicated().any():
        raise EstimateFault(f"{treated} must be 0 or 1, and {order} must not repeat")
    submitted = int(mark.sum())
    if min(submitted, len(mark) - submitted) < minimum:
        raise TooFewPeople(f"{submitted} treated people and {len(mark) - submitted} others: no figure is given below {minimum}")
    matrix, names = design(people, covariates)
    score = fit("logistic", matrix, mark).fitted
    logit = np.log(score / (1 - score))
    tie = people[order].rank(method="first").to_numpy()
    reach = caliper * pooled_spread(logit, mark.astype(bool))
    place = logit if within is None else _apart(logit, people[within], reach)
    ones, others = nearest_pairs(place, mark.astype(bool), tie, reach)
    if len(ones) < minimum:
        raise TooFewPeople(f"{len(ones)} of {submitted} treated people have a match: no figure is given below {minimum}")
    return Matched(ones, others, score, _balance(matrix, names, mark.astype(bool), ones, others), submitted)


def _apart(values: Numbers, group: pd.Series, reach: float) -> Numbers:
    """The values moved so that those of different groups are farther apart than `reach`, and those of one stand as they did."""
    import pandas as pd

    codes, _ = pd.factorize(group, sort=True)
    apart: Numbers = values + codes * (np.ptp(values) + 2 * reach + 1)
    return apart


def pooled_spread(values: Numbers, mark: Numbers) -> float:
    """The standard deviation of both sides pooled with equal weight, in the unit of the values (Rosenbaum and Rubin, 1985)."""
    return float(((values[mark].var(ddof=1) + values[~mark].var(ddof=1)) / 2) ** 0.5)


def nearest_pairs(values: Numbers, mark: Numbers, tie: Numbers, reach: float) -> tuple[Numbers, Numbers]:
    """Pairs of marked and other positions that are nearest to each other on a line, each used once, none farther apart than `reach`.

    People stand in order of value. Neighbouring runs of marked and of others meet at a boundary; everybody turns to the nearer of
    their run's two boundaries, and there the two sides pair off from the boundary outwards, nearest first. Those left close ranks,
    and it goes on until no two neighbours are near enough. Each round is a handful of array operations, and pairs at least the two
    nearest of all, so none is missed that could still be made.
    """
    standing = np.lexsort((tie, mark, values))
    ones, others = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    while len(standing):
        v, m = values[standing], mark[standing]
        left, right = _round(v, m, reach)
        if not len(left):
            break
        is_one = m[left]
        ones.append(standing[np.where(is_one, left, right)])
        others.append(standing[np.where(is_one, right, left)])
        standing = np.delete(standing, np.concatenate([left, right]))
    first, second = np.concatenate(ones), np.concatenate(others)
    order = np.argsort(tie[first], kind="stable")
    return first[order], second[order]


def _round(v: Numbers, m: Numbers, reach: float) -> tuple[Numbers, Numbers]:
    """One round: the places (left and right of a boundary) that pair off."""
    size = len(v)
    run = np.concatenate([[0], np.cumsum(m[1:] != m[:-1])])
    starts = np.searchsorted(run, np.arange(run[-1] + 1))
    ends = np.append(starts[1:], size) - 1
    here = np.arange(size)
    start, end = starts[run], ends[run]
    to_left = np.where(start > 0, v - v[np.maximum(start - 1, 0)], np.inf)
    to_right = np.where(end < size - 1, v[np.minimum(end + 1, size - 1)] - v, np.inf)
    turns_left = to_left <= to_right
    looks_right = ~turns_left & (end < size - 1)
    # The k-th from the end of a run faces the k-th from the start of the next, if that one turned this way too.
    faced = end + 1 + (end - here)
    next_end = np.append(ends[1:], -1)[run]
    inside = looks_right & (faced <= next_end)
    place = here[inside]
    across = faced[inside]
    met = turns_left[across] & (v[across] - v[place] <= reach)
    return place[met], across[met]


def _balance(matrix: Numbers, names: Sequence[str], mark: Numbers, ones: Numbers, others: Numbers) -> pd.DataFrame:
    """Standardised differences before and after, both by the spread before, so that they can be compared."""
    import pandas as pd

    columns = matrix[:, 1:]
    spread = ((columns[mark].var(axis=0, ddof=1) + columns[~mark].var(axis=0, ddof=1)) / 2) ** 0.5
    before = (columns[mark].mean(axis=0) - columns[~mark].mean(axis=0)) / spread
    after = (columns[ones].mean(axis=0) - columns[others].mean(axis=0)) / spread
    means = {"treated_mean": columns[ones].mean(axis=0), "before_mean": columns[~mark].mean(axis=0), "after_mean": columns[others].mean(axis=0)}
    return pd.DataFrame({"covariate": names[1:]} | means | {"before": before, "after": after, "is_balanced": np.abs(after) < IMBALANCE})
