"""Logistic and Poisson regression by iteratively reweighted least squares, and the design matrix of a frame.

Source: McCullagh and Nelder, Generalized Linear Models, 2nd edition 1989, chapter 2.5. Canonical links only, so the observed and the
expected information are the same and the steps are Newton's. Each row's response is a share (logistic, with its trials as weight)
or a count (Poisson).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

Family = Literal["logistic", "poisson"]
STEPS = 60
CONVERGED = 1e-9
# Log odds of 20 are one in five hundred million: no data of ours can say that, so a perfect prediction stands behind it.
SEPARATED = 20.0


@dataclass(frozen=True)
class Fit:
    """A fitted model: coefficients in the order of the design's columns, their covariance, and the expected response of each row.

    `log_likelihood` leaves out the terms that do not depend on the model (binomial coefficients, factorials).
    """

    coefficients: Numbers
    covariance: Numbers
    fitted: Numbers
    log_likelihood: float
    deviance: float


def design(frame: pd.DataFrame, covariates: Sequence[str]) -> tuple[Numbers, list[str]]:
    """An intercept, numeric covariates as they are, and 0/1 columns for the others with the first value in sorted order left out.

    Columns that are the same for everybody, which say nothing, are left out too. Missing values of a non-numeric covariate are a value
    of their own.

    Returns:
        The matrix, and its columns' names (`sex=F`; the first is `intercept`).

    Raises:
        EstimateFault: a covariate is not in the frame, or a numeric one has missing values.
    """
    import pandas as pd

    absent = [name for name in covariates if name not in frame.columns]
    if absent:
        raise EstimateFault(f"Not in the frame: {', '.join(absent)}")
    columns, names = [np.ones(len(frame))], ["intercept"]
    for name in covariates:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            values = column.to_numpy(dtype=float, na_value=np.nan)
            if not np.isfinite(values).all():
                raise EstimateFault(f"{name} has missing values: band it, or say what stands for missing")
            pieces = {name: values}
        else:
            codes, levels = pd.factorize(column.astype("object").where(column.notna(), "(missing)").astype(str), sort=True)
            pieces = {f"{name}={level}": (codes == code).astype(float) for code, level in enumerate(levels) if code}
        for label, values in pieces.items():
            if np.ptp(values) > 0:
                columns.append(values)
                names.append(label)
    return np.column_stack(columns), names


def fit(family: Family, matrix: Numbers, response: Numbers, weights: Numbers | None = None) -> Fit:
    """Fit by maximum likelihood.

    Args:
        family: `logistic` (the response is a share from 0 to 1) or `poisson` (a count).
        weights: trials behind each share, or how often each row occurred; 1 when not given.

    Raises:
        EstimateFault: columns repeat each other, some covariate predicts the outcome perfectly, or it did not converge.
    """
    w = np.ones(len(response)) if weights is None else weights
    y = response.astype(float)
    if not len(y) or w.sum() <= 0:
        raise EstimateFault("There are no rows to fit a model to")
    # From the rate of everybody: a start at each row's own rate can run away where many rows are all or nothing.
    everybody = ((y * w).sum() + 0.5) / (w.sum() + 1)
    mean = np.full(len(y), everybody)
    eta = np.log(mean / (1 - mean)) if family == "logistic" else np.log(mean)
    before, steps = np.inf, 0
    while steps < STEPS:
        steps += 1
        curve = w * (mean * (1 - mean) if family == "logistic" else mean)
        information = (matrix * curve[:, None]).T @ matrix
        target = curve * eta + w * (y - mean)
        try:
            coefficients = np.linalg.solve(information, matrix.T @ target)
        except np.linalg.LinAlgError:
            raise EstimateFault("The covariates repeat each other, or one predicts the outcome perfectly") from None
        eta = np.clip(matrix @ coefficients, -30, 30)
        mean = 1 / (1 + np.exp(-eta)) if family == "logistic" else np.exp(eta)
        deviance = _deviance(family, y, mean, w)
        if abs(before - deviance) < CONVERGED * (abs(deviance) + 1):
            break
        before = deviance
    else:
        raise EstimateFault(f"The {family} model did not converge in {STEPS} steps")
    if family == "logistic" and np.abs(eta).max() > SEPARATED:
        raise EstimateFault("Some covariate predicts the outcome perfectly: take it out or join its values")
    curve = w * (mean * (1 - mean) if family == "logistic" else mean)
    information = (matrix * curve[:, None]).T @ matrix
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise EstimateFault("The covariates repeat each other")
    return Fit(coefficients, np.linalg.pinv(information), mean, _log_likelihood(family, y, mean, w), deviance)


def _log_likelihood(family: Family, y: Numbers, mean: Numbers, w: Numbers) -> float:
    from scipy.special import xlogy

    terms = xlogy(y, mean) + xlogy(1 - y, 1 - mean) if family == "logistic" else xlogy(y, mean) - mean
    return float((w * terms).sum())


def _deviance(family: Family, y: Numbers, mean: Numbers, w: Numbers) -> float:
    return 2 * (_log_likelihood(family, y, y, w) - _log_likelihood(family, y, mean, w))
