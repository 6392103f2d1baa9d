"""Time to event: Kaplan-Meier, and cumulative incidence where another event (death) makes the first impossible.

Sources: Kaplan and Meier, "Nonparametric estimation from incomplete observations", JASA 53, 1958; Greenwood's variance; limits on the scale
log(-log), which stay between 0 and 1 and hold in small groups (Kalbfleisch and Prentice, The Statistical Analysis of Failure Time
Data, 1980; Borgan and Liestol, 1990). Cumulative incidence: Aalen and Johansen, Scandinavian Journal of Statistics 5, 1978, with the delta-method
variance of Marubini and Valsecchi, Analysing Survival Data from Clinical Trials and Observational Studies, 1995, and limits on the same scale
(Choudhury, Statistics in Medicine 21, 2002).

Assumed: people are independent, and those censored at a time are like those who go on. Death is not censoring where the question is how
many will reoffend or come back: Kaplan-Meier with deaths censored answers "if nobody died", and overstates.
Times are in one unit, days or months, which the curves keep. Who is censored at the time of an event counts as at risk of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import CONFIDENCE, normal_width, numbers
from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

EVERYBODY = "all"


def kaplan_meier(time: object, event: object, group: object = None, confidence: float = CONFIDENCE, weight: object = None) -> pd.DataFrame:
    """The share without the event up to each time.

    Args:
        time: time from the start to the event or the end of observation, a value a person, 0 or later.
        event: whether the event was seen (0/1 or false/true).
        group: what to show apart; everybody together when not given.
        weight: how many people each value stands for, where they are counted already; 1 when not given.

    Returns:
        A row for each group and distinct time, from 0: group, time, at_risk (just before), events, censored, survival, std_error,
        lower, upper. Limits are missing where survival is 0, of which no interval of this kind can be given.

    Raises:
        EstimateFault: nobody, times below 0, or columns that do not fit.
    """
    z = normal_width(confidence)

    def curve(times: Numbers, kinds: Numbers, people: Numbers) -> dict[str, Numbers]:
        at, at_risk, events, censored = _risk_table(times, kinds, people, 1)
        died = events[:, 0]
        survival = np.cumprod(1 - died / at_risk)
        greenwood = np.cumsum(_greenwood(died, at_risk))
        lower, upper = _log_log(survival, survival * np.sqrt(greenwood), z)
        columns = {"time": at, "at_risk": at_risk, "events": died, "censored": censored, "survival": survival}
        return columns | {"std_error": survival * np.sqrt(greenwood), "lower": lower, "upper": upper}

    kinds = numbers(event, "event")
    if not np.isin(kinds, (0, 1)).all():
        raise EstimateFault("event must be 0 or 1")
    return _by_group(time, kinds, group, weight, curve)


def cumulative_incidence(
    time: object, kind: object, group: object = None, confidence: float = CONFIDENCE, kinds: int = 2, weight: object = None
) -> pd.DataFrame:
    """The share to whom each kind of event has happened first by each time, the kinds competing.

    Args:
        time: as in `kaplan_meier`.
        kind: 0 where nothing was seen until the end, 1 for the event in question, 2 (and so on) for what competes with it.
        kinds: how many kinds there are.
        weight: as in `kaplan_meier`.

    Returns:
        A row for each group, kind and distinct time, from 0: group, kind, time, at_risk, events, incidence, std_error, lower, upper.

    Raises:
        EstimateFault: as in `kaplan_meier`.
    """
    import pandas as pd

    z = normal_width(confidence)
    codes = numbers(kind, "kind")
    if kinds < 1 or not np.isin(codes, np.arange(kinds + 1)).all():
        raise EstimateFault(f"kind must be a whole number from 0 to {kinds}")

    def curve_of(number: int) -> pd.DataFrame:
        def curve(times: Numbers, found: Numbers, people: Numbers) -> dict[str, Numbers]:
            at, at_risk, events, _ = _risk_table(times, found, people, kinds)
            own, any_kind = events[:, number - 1], events.sum(axis=1)
            survival = np.cumprod(1 - any_kind / at_risk)
            survived = np.concatenate([[1.0], survival[:-1]])
            incidence = np.cumsum(survived * own / at_risk)
            error = np.sqrt(_incidence_variance(incidence, survived, own, any_kind, at_risk))
            lower, upper = _log_log(incidence, error, z)
            columns = {"kind": np.full(len(at), number), "time": at, "at_risk": at_risk, "events": own, "incidence": incidence}
            return columns | {"std_error": error, "lower": lower, "upper": upper}

        return _by_group(time, codes, group, weight, curve)

    found: pd.DataFrame = pd.concat([curve_of(number) for number in range(1, kinds + 1)], ignore_index=True)
    return found


def at_times(curve: pd.DataFrame, times: object) -> pd.DataFrame:
    """The rows of a curve in force at given times (the last at or before each), with `at` the time asked for.

    Beyond a group's last time nothing is known: no row is given.

    Raises:
        EstimateFault: times that are no numbers.
    """
    import pandas as pd

    wanted = numbers(times, "times")
    keys = [name for name in ("group", "kind") if name in curve.columns]
    pieces = []
    for _, rows in curve.groupby(keys, sort=False, dropna=False):
        known = rows["time"].to_numpy()
        asked = wanted[(wanted >= known[0]) & (wanted <= known[-1])]
        pieces.append(rows.iloc[np.searchsorted(known, asked, side="right") - 1].assign(at=asked))
    found: pd.DataFrame = pd.concat(pieces, ignore_index=True)
    return found


def median_time(curve: pd.DataFrame) -> dict[str, float]:
    """The first time of each group at which half or fewer remain without the event; infinite where more than half remain at the end."""
    half = curve[curve["survival"] <= 0.5 + 1e-12].groupby("group")["time"].min()
    return {str(group): float(half.get(group, np.inf)) for group in curve["group"].unique()}


def log_rank(time: object, event: object, group: object, weight: object = None) -> tuple[float, int, float]:
    """Whether the groups' curves are one: chi-squared, degrees of freedom, p (Mantel, 1966; Peto and Peto, 1972).

    Args: as in `kaplan_meier`.

    Raises:
        EstimateFault: fewer than two groups, or no events.
    """
    import pandas as pd
    from scipy.stats import chi2

    times, seen = numbers(time, "time"), numbers(event, "event")
    people = _weights(weight, len(times))
    codes, groups = pd.factorize(np.asarray(group), sort=True)
    if len(groups) < 2 or not seen.sum():
        raise EstimateFault("A log-rank test needs two groups and an event")
    at, place = np.unique(times, return_inverse=True)
    shape = (len(at), len(groups))
    leaving = np.bincount(place * len(groups) + codes, weights=people, minlength=shape[0] * shape[1]).reshape(shape)
    died = np.bincount(place * len(groups) + codes, weights=seen * people, minlength=shape[0] * shape[1]).reshape(shape)
    at_risk = leaving[::-1].cumsum(axis=0)[::-1]
    n, d = at_risk.sum(axis=1), died.sum(axis=1)
    share = at_risk / n[:, None]
    difference = (died - d[:, None] * share).sum(axis=0)[:-1]
    spread = d * np.divide(n - d, n - 1, out=np.zeros(len(n)), where=n > 1)
    variance = np.diag((spread[:, None] * share).sum(axis=0)) - (share * spread[:, None]).T @ share
    statistic = float(difference @ np.linalg.pinv(variance[:-1, :-1]) @ difference)
    return statistic, len(groups) - 1, float(chi2.sf(statistic, len(groups) - 1))


def _weights(weight: object, size: int) -> Numbers:
    """How many people each value stands for, 1 or more."""
    people = np.ones(size) if weight is None else numbers(weight, "weight")
    if len(people) != size or (people < 1).any():
        raise EstimateFault("weight must be 1 or more, of the same people as the times")
    return people


def _by_group(time: object, kinds: Numbers, group: object, weight: object, curve: Any) -> pd.DataFrame:
    """The curve of each group, one under the other in sorted order."""
    import pandas as pd

    times = numbers(time, "time")
    if not len(times) or len(times) != len(kinds) or times.min() < 0:
        raise EstimateFault("Times and events must be of the same people, at least one, and no time below 0")
    labels = np.full(len(times), EVERYBODY) if group is None else np.asarray(group)
    if len(labels) != len(times):
        raise EstimateFault("Groups and times must be of the same people")
    people = _weights(weight, len(times))
    codes, groups = pd.factorize(labels, sort=True)
    pieces = [pd.DataFrame({"group": name} | curve(times[codes == code], kinds[codes == code], people[codes == code])) for code, name in enumerate(groups)]
    return pd.concat(pieces, ignore_index=True)


def _risk_table(times: Numbers, kinds: Numbers, people: Numbers, number: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Distinct times from 0; at risk just before each; events of each kind, a column each; censored."""
    at, place = np.unique(np.append(times, 0.0), return_inverse=True)
    place = place[:-1]
    counts = np.bincount(place * (number + 1) + kinds.astype(int), weights=people, minlength=len(at) * (number + 1)).reshape(len(at), number + 1)
    leaving = counts.sum(axis=1)
    return at, leaving[::-1].cumsum()[::-1], counts[:, 1:], counts[:, 0]


def _greenwood(died: Numbers, at_risk: Numbers) -> Numbers:
    """The step of Greenwood's sum at each time; nothing where everybody left has the event, after which no curve goes on."""
    rest = at_risk * (at_risk - died)
    steps: Numbers = np.divide(died, rest, out=np.zeros(len(died)), where=rest > 0)
    return steps


def _incidence_variance(incidence: Numbers, survived: Numbers, own: Numbers, any_kind: Numbers, at_risk: Numbers) -> Numbers:
    """Marubini and Valsecchi's variance at every time at once: their sums of (F(t) - F(tj)) written out in powers of F(tj)."""
    a, b = _greenwood(any_kind, at_risk), survived * own / at_risk**2
    first = incidence**2 * np.cumsum(a) - 2 * incidence * np.cumsum(a * incidence) + np.cumsum(a * incidence**2)
    second = np.cumsum(survived**2 * (at_risk - own) / at_risk * own / at_risk**2)
    third = incidence * np.cumsum(b) - np.cumsum(b * incidence)
    variance: Numbers = np.maximum(first + second - 2 * third, 0.0)
    return variance


def _log_log(share: Numbers, error: Numbers, z: float) -> tuple[Numbers, Numbers]:
    """Limits of a share from its standard error on the scale log(-log); itself at 0 or 1 without error, missing at 0 or 1 with error."""
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    reach = np.exp(z * error / (safe * np.abs(np.log(safe))))
    # Where a survival curve has come down to 0 its formula has no error left, but nobody is as sure as that.
    edge = np.where((error == 0) & (share >= np.maximum.accumulate(share)), share, np.nan)
    return np.where(inside, safe**reach, edge), np.where(inside, safe ** (1 / reach), edge)
