"""Difference-in-differences: what changed in pilot areas beyond what changed elsewhere.

Sources: two-way fixed effects (Angrist and Pischke, Mostly Harmless Econometrics, 2009, chapter 5); errors robust to clusters with the small-sample
factor CR1 and the t distribution with clusters - 1 degrees of freedom (Cameron and Miller, Journal of Human Resources 50, 2015);
where few areas are treated those errors are too small (MacKinnon and Webb, Econometrics Journal 21, 2018), so the effect is
compared with that of areas drawn at random in the pilot's stead (randomisation inference: Fisher; Conley and Taber, 2011).

Assumed: without the pilot both kinds of area would have moved in step. The test before the start can show that they did not; it cannot
show that they would have. All pilot areas start in the same period: with several starts, one estimate each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import CONFIDENCE, Interval
from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

FEW_TREATED = 10
DRAWS = 999


@dataclass(frozen=True)
class Effect:
    """The pilot's effect on a rate, in the rate's own unit (0.02: two percentage points).

    `p` is of the cluster-robust t test, `p_placebo` the share of random choices of areas with an effect as large. `by_period` (for the
    plot) has period, effect, lower, upper: the difference between pilot and other areas against that in the last period before the start,
    which is 0 by definition. `pre_trend` is how much faster the rate rose a period in pilot areas before the start, with `pre_trend_p`.
    """

    interval: Interval
    p: float
    p_placebo: float
    pre_trend: Interval | None
    pre_trend_p: float | None
    by_period: pd.DataFrame
    treated_areas: int
    other_areas: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Slopes:
    """Coefficients of interest with their standard errors."""

    value: Numbers
    error: Numbers


def difference_in_differences(panel: pd.DataFrame, start: object, draws: int = DRAWS, seed: int = 1, confidence: float = CONFIDENCE) -> Effect:
    """The effect of a pilot that starts in a period.

    Args:
        panel: a row for each area and period: area, period (sorts in time), treated (1 for the pilot's areas, throughout), numerator,
            denominator. Areas count by their denominators. Each area must be there in every period.
        start: the first period of the pilot.
        draws: random choices of areas in the pilot's stead.
        seed: of those draws.

    Raises:
        EstimateFault: columns missing, an area twice in a period or missing from one, nobody in a denominator, a treated mark that changes,
            fewer than two areas on a side, or no period before or after the start.
    """
    import pandas as pd
    from scipy.stats import t

    area, period, rate, weight, treated, periods = _square(panel)
    after = np.array([value >= start for value in periods])
    if not after.any() or after.all():
        raise EstimateFault("There must be periods before the start and from it on")
    areas, before = len(treated), int((~after).sum())
    post = after[period].astype(float)
    mark = treated[area]
    reach = float(t.ppf((1 + confidence) / 2, areas - 1))

    def interval(slopes: Slopes, number: int = 0) -> Interval:
        value, error = float(slopes.value[number]), float(slopes.error[number])
        return Interval(value, value - reach * error, value + reach * error)

    def p_value(slopes: Slopes) -> float:
        return float(2 * t.sf(abs(slopes.value[0] / slopes.error[0]), areas - 1)) if slopes.error[0] > 0 else float(slopes.value[0] == 0)

    effect = _slopes(rate, weight, area, period, (mark * post)[:, None])
    base = before - 1
    others = [number for number in range(len(periods)) if number != base]
    dynamic = _slopes(rate, weight, area, period, mark[:, None] * (period[:, None] == np.array(others)))
    limits = [interval(dynamic, number) for number in range(len(others))]
    found = {number: limits[place] for place, number in enumerate(others)} | {base: Interval(0.0, 0.0, 0.0)}
    rows = [(periods[number], found[number].value, found[number].low, found[number].high) for number in range(len(periods))]
    trend = None
    if before >= 3:
        early = post == 0
        trend = _slopes(rate[early], weight[early], area[early], period[early], (mark * period)[early][:, None])
    return Effect(
        interval(effect),
        p_value(effect),
        _placebo(rate, weight, area, post, treated, draws, seed),
        interval(trend) if trend else None,
        p_value(trend) if trend else None,
        pd.DataFrame(rows, columns=["period", "effect", "lower", "upper"]),
        int(treated.sum()),
        int(areas - treated.sum()),
        tuple(_warnings(int(treated.sum()), trend is None, p_value(trend) if trend else 1.0, 1 - confidence)),
    )


def _square(panel: pd.DataFrame) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, list[Any]]:
    """Codes of area and period, rate and weight of each row; the treated mark of each area; the periods in order."""
    import pandas as pd

    missing = {"area", "period", "treated", "numerator", "denominator"} - set(panel.columns)
    if missing:
        raise EstimateFault(f"The panel lacks {', '.join(sorted(missing))}")
    rows = panel.sort_values(["area", "period"], kind="stable")
    area, areas = pd.factorize(rows["area"], sort=True)
    period, periods = pd.factorize(rows["period"], sort=True)
    if len(rows) != len(areas) * len(periods) or rows.duplicated(["area", "period"]).any():
        raise EstimateFault("Each area must be there once in every period")
    weight = rows["denominator"].to_numpy(dtype=float)
    if not np.isfinite(weight).all() or weight.min() <= 0:
        raise EstimateFault("Every area needs somebody in its denominator in every period")
    marks = rows["treated"].to_numpy(dtype=float).reshape(len(areas), len(periods))
    if (marks != marks[:, :1]).any() or not np.isin(marks, (0, 1)).all():
        raise EstimateFault("An area is treated (1) or not (0), the same in all periods")
    treated = marks[:, 0]
    if not 2 <= treated.sum() <= len(areas) - 2:
        raise EstimateFault("Two treated and two other areas are the least to compare")
    return area, period, rows["numerator"].to_numpy(dtype=float) / weight, weight, treated, list(periods)


def _slopes(rate: Numbers, weight: Numbers, area: Numbers, period: Numbers, wanted: Numbers) -> Slopes:
    """Weighted least squares with an effect of each area and each period, errors clustered by area.

    The area effects are inside the clusters, so they take no degrees of freedom from the factor (Cameron and Miller, section III.B).
    """
    clusters, root = int(area.max()) + 1, np.sqrt(weight)
    times = (period[:, None] == np.unique(period)[1:]).astype(float)
    columns = np.column_stack([wanted, times, rate])
    # Area effects are swept out by taking each column from its area's weighted mean; the few periods stay as columns.
    whole = np.bincount(area, weights=weight, minlength=clusters)
    means = np.column_stack([np.bincount(area, weights=weight * column, minlength=clusters) for column in columns.T]) / whole[:, None]
    swept = (columns - means[area]) * root[:, None]
    matrix, response = swept[:, :-1], swept[:, -1]
    bread = np.linalg.pinv(matrix.T @ matrix)
    coefficients = bread @ (matrix.T @ response)
    scores = matrix * (response - matrix @ coefficients)[:, None]
    summed = np.column_stack([np.bincount(area, weights=column, minlength=clusters) for column in scores.T])
    factor = clusters / (clusters - 1) * (len(rate) - 1) / (len(rate) - matrix.shape[1])
    variance = np.diag(bread @ (summed.T @ summed) @ bread) * factor
    kept = wanted.shape[1]
    return Slopes(coefficients[:kept], np.sqrt(np.maximum(variance[:kept], 0)))


def _placebo(rate: Numbers, weight: Numbers, area: Numbers, post: Numbers, treated: Numbers, draws: int, seed: int) -> float:
    """The share of random choices of as many areas whose change differs from the others' at least as much as the pilot's."""

    def level(chosen: Numbers) -> Numbers:
        people = np.bincount(area[chosen], weights=weight[chosen])
        means: Numbers = np.bincount(area[chosen], weights=(weight * rate)[chosen]) / people
        return means

    change, size = level(post == 1) - level(post == 0), np.bincount(area, weights=weight)
    order = np.random.default_rng(seed).random((draws, len(treated))).argsort(axis=1)
    marks = np.vstack([treated, treated[order]])
    effects = (marks @ (size * change)) / (marks @ size) - ((1 - marks) @ (size * change)) / ((1 - marks) @ size)
    return float((np.abs(effects) >= abs(effects[0]) - 1e-12).mean())


def _warnings(treated: int, is_short: bool, trend_p: float, level: float) -> list[str]:
    few = [f"Only {treated} areas are treated: trust the placebo comparison rather than the interval, which is too narrow."] if treated < FEW_TREATED else []
    short = ["Fewer than three periods before the start: whether the areas moved in step before cannot be tested."] if is_short else []
    apart = ["The areas did not move in step before the start, so the effect is not the pilot's alone."] if trend_p < level else []
    return few + short + apart
