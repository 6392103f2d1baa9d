"""How many people there are in all, from how lists of some of them overlap.

Sources: two lists, Chapman's estimator (University of California Publications in Statistics 1, 1951) with the interval of Sadinle
(Communications in Statistics - Simulation and Computation 38, 2009); three and four, log-linear models (Fienberg, Biometrika 59, 1972; Bishop, Fienberg
and Holland, Discrete Multivariate Analysis, 1975, chapter 6; for drug users Hay, Gannon and others). An interval of one chosen model is too short (Regal
and Hook, Statistics in Medicine 10, 1991), so all models have their say, by BIC weight (Hook and Regal, American Journal of Epidemiology 145, 1997;
Buckland, Burnham and Augustin, Biometrics 53, 1997), BIC by the number of people seen. Estimate and limits are quantiles of
the weighted mixture of what each model says of those unseen, log-normal (Turek and Fletcher, Computational Statistics and Data Analysis
56, 2012): a mean would follow any model that runs away.

Assumed: the population is the same while the lists are made, people on two lists are known to be the same (false links
make the result too small, missed ones too large: the error goes straight in), everybody could be on any list, and of the dependence
between lists the models hold all but the highest. With two lists dependence cannot be seen at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import CONFIDENCE, Interval, normal_width, numbers
from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.glm import fit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

# Two lists that share fewer people than this say little about those on neither.
THIN_OVERLAP = 10
# Models this close to the best by BIC are as good (Burnham and Anderson, 2002).
AS_GOOD = 2.0
# Where nobody is on some combination of lists, a model may run off to nobody or to everybody unseen. Beyond this error of the logarithm (a factor
# of 20,000) it has no estimate (Chan, Silverman and Vincent, JASA 116, 2021) and no say.
NO_ESTIMATE = 10.0
# No population is searched for beyond this many times those seen.
FARTHEST = 1000.0
# As few unseen as make no difference.
NOBODY = 1e-3

Term = tuple[int, ...]


@dataclass(frozen=True)
class Population:
    """An estimated population.

    `model` is the one with the most weight. `models` has a row for each model, the best first: model (`A + B + A:B`), degrees, deviance, aic, bic, unseen,
    population, weight (they add up to 1). `warnings` are sentences for the reader.
    """

    interval: Interval
    model: str
    seen: int
    models: pd.DataFrame
    warnings: tuple[str, ...]


def chapman(first: int, second: int, both: int, confidence: float = CONFIDENCE) -> Interval:
    """The population behind two independent lists.

    Raises:
        EstimateFault: more on both lists than on one, or an empty list.
    """
    if min(first, second) < 1 or not 0 <= both <= min(first, second):
        raise EstimateFault("Two lists with people on each are needed, and no more on both than on either")
    only_first, only_second, half = first - both + 0.5, second - both + 0.5, both + 0.5
    value = (first + 1) * (second + 1) / (both + 1) - 1
    spread = (1 / half + 1 / only_first + 1 / only_second + half / (only_first * only_second)) ** 0.5
    reach, seen = np.exp(normal_width(confidence) * spread), first + second - both
    unseen = only_first * only_second / half
    return Interval(value, float(max(seen - 0.5 + unseen / reach, seen)), float(seen - 0.5 + unseen * reach))


def log_linear(histories: pd.DataFrame, lists: Sequence[str], confidence: float = CONFIDENCE) -> Population:
    """The population behind two to four lists, averaged over all hierarchical log-linear models.

    Args:
        histories: a row for each combination of lists (0/1 columns) with `count` people; combinations not there count nobody.
        lists: the names of the columns.

    Returns:
        The median and the limits of what the models say together, each by its BIC weight (the upper limit is infinite where the lists give none),
        all models, and warnings. The interval holds the choice of the model; that every model may be wrong it does not hold.

    Raises:
        EstimateFault: lists that are not two to four, values that are not 0/1, counts that are none, or nobody on two lists.
    """
    import pandas as pd

    cells, counts = _table(histories, lists)
    seen = int(counts.sum())
    rows: list[dict[str, object]] = []
    for terms in hierarchical_models(len(lists)):
        matrix = _matrix(cells, terms)
        try:
            found = fit("poisson", matrix, counts)
        except EstimateFault:
            continue
        unseen, size = float(np.exp(found.coefficients[0])), matrix.shape[1]
        # How many stay unseen is chance too, which adds its own part (as Chapman's and Sadinle's variances have it).
        error = float(found.covariance[0, 0] + 1 / max(unseen, NOBODY)) ** 0.5
        if error > NO_ESTIMATE:
            continue
        name = " + ".join(":".join(lists[i] for i in term) for term in terms)
        score = {"aic": 2 * size - 2 * found.log_likelihood, "bic": np.log(seen) * size - 2 * found.log_likelihood}
        rows.append({"model": name, "degrees": len(counts) - size, "deviance": found.deviance} | score | {"unseen": unseen, "error": error})
    if not rows:
        raise EstimateFault("No model could be fitted to these lists")
    table = pd.DataFrame(rows).sort_values(["bic", "model"], ignore_index=True)
    table["population"] = seen + table["unseen"]
    weight = np.exp((table["bic"].min() - table["bic"]) / 2)
    table["weight"] = weight / weight.sum()
    interval = _averaged(seen, table, confidence)
    warnings = tuple(_warnings(cells, counts, lists, interval, table))
    return Population(interval, str(table["model"].iloc[0]), seen, table.drop(columns="error"), warnings)


def hierarchical_models(lists: int) -> list[tuple[Term, ...]]:
    """Every model with all lists in it whose interactions come with all they are made of, without the highest (8 for three lists).

    The highest interaction is what cannot be known, since nobody sees those on no list.
    """
    single: tuple[Term, ...] = tuple((i,) for i in range(lists))
    models: list[tuple[Term, ...]] = [single]
    for order in range(2, lists):
        grown = []
        for model in models:
            lower = {term for term in model if len(term) == order - 1}
            possible = [term for term in combinations(range(lists), order) if set(combinations(term, order - 1)) <= lower]
            grown += [(*model, *extra) for extra in _subsets(possible)]
        models = grown
    return models


def _subsets(terms: Sequence[Term]) -> Iterator[tuple[Term, ...]]:
    return chain.from_iterable(combinations(terms, size) for size in range(len(terms) + 1))


def _table(histories: pd.DataFrame, lists: Sequence[str]) -> tuple[Numbers, Numbers]:
    """All combinations of lists but that of none, and the people of each."""
    if not 2 <= len(lists) <= 4 or len(set(lists)) != len(lists) or {*lists, "count"} - set(histories.columns):
        raise EstimateFault("Two to four lists are needed, each a column of its own, beside `count`")
    marks, counts = histories[list(lists)].to_numpy(dtype=float), numbers(histories["count"], "count")
    if not np.isin(marks, (0, 1)).all() or (len(counts) and counts.min() < 0):
        raise EstimateFault("Lists hold 0 or 1, and counts are 0 or more")
    code = (marks @ 2 ** np.arange(len(lists))).astype(int)
    totals = np.bincount(code, weights=counts, minlength=2 ** len(lists))[1:]
    cells = (np.arange(1, 2 ** len(lists))[:, None] >> np.arange(len(lists))) & 1
    if not (totals @ cells).all():
        raise EstimateFault("Each list needs somebody on it")
    if not totals[cells.sum(axis=1) > 1].sum():
        raise EstimateFault("Nobody is on two lists: nothing is known about those on none")
    return cells, totals


def _matrix(cells: Numbers, terms: Sequence[Term]) -> Numbers:
    """A column for the intercept (log of those on no list) and one for each term."""
    return np.column_stack([np.ones(len(cells)), *(cells[:, list(term)].prod(axis=1) for term in terms)])


def _averaged(seen: int, models: pd.DataFrame, confidence: float) -> Interval:
    """The median and the limits of the models' mixture: where, by their weights, so much of what they say lies below."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    middle, error, weight = (models[name].to_numpy(dtype=float) for name in ("unseen", "error", "weight"))
    middle = np.log(middle)
    least, most = float(np.log(NOBODY)), float(np.log(FARTHEST * seen))

    def below(place: float) -> float:
        return float((weight * norm.cdf((place - middle) / error)).sum())

    def quantile(level: float) -> float:
        if below(least) >= level:
            return 0.0
        if below(most) <= level:
            return float("inf")
        return float(np.exp(brentq(lambda place: below(place) - level, least, most, xtol=1e-6)))

    return Interval(*(seen + quantile(level) for level in (0.5, (1 - confidence) / 2, (1 + confidence) / 2)))


def _warnings(cells: Numbers, counts: Numbers, lists: Sequence[str], interval: Interval, models: pd.DataFrame) -> Iterator[str]:
    thin = []
    for one, other in combinations(range(len(lists)), 2):
        if counts[(cells[:, one] * cells[:, other]).astype(bool)].sum() < THIN_OVERLAP:
            thin.append(f"{lists[one]} and {lists[other]}")
    if thin:
        # How many they are is a small number of people, which a reader need not know.
        yield f"Fewer than {THIN_OVERLAP} people are on both of these lists, an overlap too thin to lean on: {', '.join(thin)}."
    if len(lists) == 2:
        yield "With two lists their dependence cannot be seen: if being on one makes the other likelier, the true number is larger."
    elif models["degrees"].iloc[0] == 0:
        yield "The model with the most weight fits every count exactly, so nothing checks it."
    close = models.loc[models["bic"] <= models["bic"].iloc[0] + AS_GOOD, "population"]
    if close.max() > 1.2 * close.min():
        yield f"Models that fit about as well give from {close.min():,.0f} to {close.max():,.0f}; the interval allows for it."
    if interval.high > 10 * counts.sum():
        yield "The interval reaches beyond ten times those seen: the lists hardly say how many there are."
