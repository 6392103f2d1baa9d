"""What the estimators share: an estimate with its interval, the normal quantile, and shares with Wilson's interval.

Source of Wilson's interval: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with the limits of its interval, in the unit of the estimate."""

    value: float
    low: float
    high: float


def normal_width(confidence: float = CONFIDENCE) -> float:
    """Standard errors from the middle of a normal distribution to the end of a two-sided interval (1.96 for 0.95).

    Raises:
        EstimateFault: the confidence is not between 0 and 1.
    """
    from scipy.stats import norm

    if not 0 < confidence < 1:
        raise EstimateFault("The confidence of an interval lies between 0 and 1")
    return float(norm.ppf((1 + confidence) / 2))


def wilson(successes: float, trials: float, confidence: float = CONFIDENCE) -> Interval:
    """A share with Wilson's score interval.

    Raises:
        EstimateFault: no trials, or more successes than trials.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        raise EstimateFault("A share needs trials, and no more successes than trials")
    z, share = normal_width(confidence), successes / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5
    # At a share of 0 or 1 the limit is the share itself, which rounding of the sum may miss.
    return Interval(share, max(min(middle - reach, share), 0.0), min(max(middle + reach, share), 1.0))


def numbers(values: object, name: str) -> Numbers:
    """The values as floating numbers, one dimension.

    Raises:
        EstimateFault: they are not one column of finite numbers.
    """
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise EstimateFault(f"{name} must be numbers") from None
    if found.ndim != 1 or not np.isfinite(found).all():
        raise EstimateFault(f"{name} must be one column of finite numbers")
    return found
