"""Areas and providers beside each other: adjusted for case mix, in funnels, and small ones shrunk towards the rest.

Sources: indirect standardisation by logistic regression on the people's covariates, without the unit (Iezzoni, Risk Adjustment for Measuring Health
Care Outcomes; Spiegelhalter, "Handling over-dispersion of performance indicators", Quality and Safety in Health Care 14, 2005);
funnel limits by the exact binomial with interpolation, and over-dispersion (Spiegelhalter, "Funnel plots for comparing
institutional performance", Statistics in Medicine 24, 2005); beta-binomial empirical Bayes (Griffin and Krutchkoff, Biometrika 58,
1971; Carlin and Louis, Bayes and Empirical Bayes Methods for Data Analysis, 2000).

Adjusting takes away what the covariates say and nothing else: a difference left may still be of people, not of service.
Funnels do not rank, and neither should a reader: outside the outer limits is a reason to look, not a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import CONFIDENCE, normal_width, numbers
from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.glm import design, fit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

INNER, OUTER = 0.95, 0.998
WINSORISED = 0.1
RARE = 10
PEOPLE_PER_COEFFICIENT = 10


@dataclass(frozen=True)
class Dispersion:
    """How much more units differ than chance: `ratio` is 1 for chance alone; `between` is the units' own standard deviation in share."""

    ratio: float
    between: float
    is_over: bool
    note: str


@dataclass(frozen=True)
class CaseMix:
    """A model of who has the outcome, whatever the unit.

    `risk` is the share expected of each cell, in the order given. `odds` has covariate, value, people, odds_ratio, lower, upper; the value that the others
    are compared with has an odds ratio of 1 without limits. `covariates` were adjusted for, fewer than asked for where `warnings` say so.
    """

    risk: Numbers
    odds: pd.DataFrame
    covariates: tuple[str, ...]
    warnings: tuple[str, ...]


def case_mix_model(cells: pd.DataFrame, covariates: Sequence[str], confidence: float = CONFIDENCE) -> CaseMix:
    """Fit the model of case mix to people counted by their covariates.

    A value that fewer than ten people have, or that all or none of them have the outcome with, is joined to the commonest of its covariate. No more
    coefficients than one for every ten people with (or without, whichever are fewer) the outcome are fitted (Peduzzi and others, Journal of Clinical
    Epidemiology 49, 1996): covariates are left out from the end of the list.

    Args:
        cells: a row for each combination of covariates (and of units, if you like): people, observed (how many of them have the outcome), covariates
            as words.
        covariates: what to adjust for, the most important first.

    Raises:
        EstimateFault: nobody, or the outcome in nobody or everybody.
    """
    import pandas as pd

    people, observed = numbers(cells["people"], "people"), numbers(cells["observed"], "observed")
    if not len(people) or not 0 < observed.sum() < people.sum():
        raise EstimateFault("Case mix needs people with and without the outcome")
    joined = pd.DataFrame({name: _join_rare(cells[name], people, observed) for name in covariates})
    room = min(observed.sum(), people.sum() - observed.sum()) / PEOPLE_PER_COEFFICIENT
    kept = [name for name in covariates if joined[name].nunique() > 1]
    dropped: list[str] = []
    while True:
        matrix, names = design(joined, kept)
        if matrix.shape[1] - 1 <= room:
            try:
                found = fit("logistic", matrix, np.divide(observed, people, out=np.zeros(len(people)), where=people > 0), people)
                break
            except EstimateFault:
                # Values that are each common enough can still repeat each other in combination.
                if not kept:
                    raise
        dropped.append(kept.pop())
    reach = normal_width(confidence) * np.sqrt(np.diag(found.covariance))
    of_name = dict(zip(names, zip(found.coefficients, reach, strict=True), strict=True))
    rows: list[tuple[str, str, int, float, float | None, float | None]] = []
    for name in kept:
        for value, count in pd.Series(people).groupby(joined[name].to_numpy()).sum().items():
            slope = of_name.get(f"{name}={value}")
            limits = (None, None) if slope is None else (float(np.exp(slope[0] - slope[1])), float(np.exp(slope[0] + slope[1])))
            rows.append((name, str(value), int(count), 1.0 if slope is None else float(np.exp(slope[0])), *limits))
    odds = pd.DataFrame(rows, columns=["covariate", "value", "people", "odds_ratio", "lower", "upper"])
    said = (f"Too few people with or without the outcome to adjust for {', '.join(reversed(dropped))}.",) if dropped else ()
    return CaseMix(found.fitted, odds, tuple(kept), said)


def unit_rates(cells: pd.DataFrame, unit: str, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Each unit's rate as it would be with the case mix of everybody: observed over expected, times the rate of all.

    Args:
        cells: the unit, people, observed, expected (people x `CaseMix.risk`).

    Returns:
        A row a unit: unit, people, observed, expected, rate, ratio (observed / expected), adjusted (ratio x the rate of all), lower,
        upper (exact binomial limits of the unit's rate on the adjusted scale, expected counts taken as known; an adjusted rate may pass 1).
    """
    from scipy.stats import beta

    found = cells.rename(columns={unit: "unit"}).groupby("unit", sort=True)[["people", "observed", "expected"]].sum().reset_index()
    found = found[found["people"] > 0].reset_index(drop=True)
    n, o = found["people"].to_numpy(dtype=float), found["observed"].to_numpy(dtype=float)
    everybody = o.sum() / n.sum()
    tail, scale = (1 - confidence) / 2, everybody * n / found["expected"].to_numpy()
    lower = np.where(o > 0, beta.ppf(tail, np.maximum(o, 0.5), n - o + 1), 0.0)
    upper = np.where(o < n, beta.ppf(1 - tail, o + 1, np.maximum(n - o, 0.5)), 1.0)
    ratio = o / found["expected"]
    return found.assign(rate=o / n, ratio=ratio, adjusted=ratio * everybody, lower=lower * scale, upper=upper * scale)


def case_mix_rates(people: pd.DataFrame, unit: str, outcome: str, covariates: Sequence[str], confidence: float = CONFIDENCE) -> pd.DataFrame:
    """`unit_rates` of single people, adjusted for covariates as they are.

    Args:
        people: a row a person (or journey) with the unit, the outcome 0/1 and the covariates.
        covariates: what is adjusted for.

    Raises:
        EstimateFault: nobody, an outcome that is not 0/1, or a model that cannot be fitted.
    """
    import pandas as pd

    seen = numbers(people[outcome], outcome)
    if not len(seen) or not np.isin(seen, (0, 1)).all():
        raise EstimateFault("The outcome must be 0 or 1, of one person or more")
    matrix, _ = design(people, covariates)
    risk = fit("logistic", matrix, seen).fitted
    return unit_rates(pd.DataFrame({"unit": people[unit].to_numpy(), "people": 1, "observed": seen, "expected": risk}), "unit", confidence)


def _join_rare(values: pd.Series, people: Numbers, observed: Numbers) -> pd.Series:
    """The values of a covariate, those that a model cannot tell anything of in the place of the commonest one."""
    import pandas as pd

    totals = pd.DataFrame({"people": people, "observed": observed}).groupby(values.to_numpy()).sum()
    spoken = (totals["people"] >= RARE) & (totals["observed"] > 0) & (totals["observed"] < totals["people"])
    commonest = totals["people"].idxmax()
    return values.where(values.map(spoken), commonest)


def funnel_limits(target: object, people: object, level: float) -> tuple[Numbers, Numbers]:
    """The limits within which a unit's share lies with probability `level` if its true share is the target.

    Exact binomial quantiles, interpolated between whole people so that the funnel is smooth (Spiegelhalter 2005, appendix A.1.1).

    Args:
        target: the share expected, one or one a unit (expected / people after adjusting for case mix).
        people: people of each unit.
        level: 0.95 or 0.998.

    Raises:
        EstimateFault: a target not between 0 and 1, nobody, or a level not between 0 and 1.
    """
    from scipy.stats import binom

    n = np.atleast_1d(np.asarray(people, dtype=float))
    share = np.broadcast_to(np.asarray(target, dtype=float), n.shape)
    if not ((share > 0) & (share < 1)).all() or (n < 1).any() or not 0 < level < 1:
        raise EstimateFault("A funnel needs a target and a level between 0 and 1 and people in every unit")

    def at(probability: float) -> Numbers:
        count = binom.ppf(probability, n, share)
        up_to, below = binom.cdf(count, n, share), binom.cdf(count - 1, n, share)
        limit: Numbers = np.clip((count - (up_to - probability) / (up_to - below)) / n, 0, 1)
        return limit

    return at((1 - level) / 2), at((1 + level) / 2)


def funnel(units: pd.DataFrame) -> pd.DataFrame:
    """The units with their funnel's limits and where each stands.

    Args:
        units: unit, people, observed; with `expected` (of `case_mix_rates`) each unit's target is its own expected share, else that of all.

    Returns:
        The same with target, rate, lower_95, upper_95, lower_998, upper_998 and position: `as expected`, `below 95`, `above 95`,
        `below 998`, `above 998`. After case mix the binomial limits are a little wide: people of unlike risks vary less.

    Raises:
        EstimateFault: as `funnel_limits`.
    """
    n, o = units["people"].to_numpy(dtype=float), units["observed"].to_numpy(dtype=float)
    target = units["expected"].to_numpy(dtype=float) / n if "expected" in units else np.full(len(n), o.sum() / n.sum())
    inner, outer, rate = funnel_limits(target, n, INNER), funnel_limits(target, n, OUTER), o / n
    position = np.select(
        [rate < outer[0], rate > outer[1], rate < inner[0], rate > inner[1]], ["below 998", "above 998", "below 95", "above 95"], default="as expected"
    )
    limits = {"lower_95": inner[0], "upper_95": inner[1], "lower_998": outer[0], "upper_998": outer[1]}
    return units.assign(target=target, rate=rate, **limits, position=position)


def dispersion(people: object, observed: object, target: object = None, confidence: float = CONFIDENCE) -> Dispersion:
    """Whether units differ more than chance around the target would make them.

    Squared z-scores are averaged with the outermost tenth at each end drawn in, so that the few that funnels are meant to find
    don't widen them all; the units' own variance is DerSimonian and Laird's. Drawing in makes both a little small (chance alone then gives
    a ratio of about 0.66), as in the source: a unit is rather found outside than excused.

    Raises:
        EstimateFault: fewer than three units, or as `funnel_limits`.
    """
    from scipy.stats import chi2
    from scipy.stats.mstats import winsorize

    n, o = numbers(people, "people"), numbers(observed, "observed")
    if len(n) < 3 or n.min() < 1 or not 0 < o.sum() < n.sum():
        raise EstimateFault("Dispersion needs three units with people, and some with and without the outcome")
    share = np.broadcast_to(np.asarray(o.sum() / n.sum() if target is None else target, dtype=float), n.shape)
    precision = n / (share * (1 - share))
    z = np.asarray(winsorize((o / n - share) * np.sqrt(precision), limits=(WINSORISED, WINSORISED)))
    units = len(n)
    ratio = float((z**2).mean())
    between = max(units * ratio - (units - 1), 0.0) / (precision.sum() - (precision**2).sum() / precision.sum())
    is_over = bool(ratio * units > chi2.ppf((1 + confidence) / 2, units))
    said = (
        f"Units differ more than chance makes them ({ratio:.1f} times its variance): read the limits as if drawn {ratio**0.5:.1f} times as wide."
        if is_over
        else "Units do not differ more than chance makes them."
    )
    return Dispersion(ratio, float(between**0.5), is_over, said)


def shrunken_rates(people: object, observed: object, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Each area's rate drawn towards that of all, the more the fewer its people, with a 95 % credible interval.

    The areas' true rates are taken to follow a beta distribution, fitted to all areas by maximum likelihood, as sure as all the
    people together at the most; an area's interval takes that fit as known, so with fewer than twenty areas or so it is a little narrow.

    Returns:
        In the order given: people, observed, rate, shrunken, lower, upper, weight (that of the area's own figure, 0 to 1).

    Raises:
        EstimateFault: fewer than three areas, nobody in one, more with the outcome than people, or the outcome in nobody or everybody.
    """
    import pandas as pd
    from scipy.optimize import minimize
    from scipy.special import betaln, psi
    from scipy.stats import beta

    n, o = numbers(people, "people"), numbers(observed, "observed")
    if len(n) < 3 or n.min() < 1 or (o > n).any() or o.min() < 0 or not 0 < o.sum() < n.sum():
        raise EstimateFault("Shrinking needs three areas with people, and some with and without the outcome")

    def unlikelihood(parameters: Numbers) -> tuple[float, Numbers]:
        mean, size = 1 / (1 + np.exp(-parameters[0])), np.exp(parameters[1])
        a, b = mean * size, (1 - mean) * size
        both = psi(a + b) - psi(n + a + b)
        by_a, by_b = (psi(o + a) - psi(a) + both).sum(), (psi(n - o + b) - psi(b) + both).sum()
        slope = np.array([(by_a - by_b) * size * mean * (1 - mean), by_a * a + by_b * b])
        return float(-(betaln(o + a, n - o + b) - betaln(a, b)).sum()), -slope

    share = o.sum() / n.sum()
    edges = [(-15.0, 15.0), (np.log(0.1), np.log(n.sum()))]
    starts = [np.array([np.log(share / (1 - share)), np.log(size)]) for size in (10.0, n.sum())]
    mean, size = min((minimize(unlikelihood, start, bounds=edges, jac=True, method="L-BFGS-B") for start in starts), key=lambda found: float(found.fun)).x
    strength = np.exp(size)
    a, b = strength / (1 + np.exp(-mean)) + o, strength / (1 + np.exp(mean)) + n - o
    tail = (1 - confidence) / 2
    limits = {"lower": beta.ppf(tail, a, b), "upper": beta.ppf(1 - tail, a, b)}
    return pd.DataFrame({"people": n, "observed": o, "rate": o / n, "shrunken": a / (a + b), **limits, "weight": n / (n + strength)})
