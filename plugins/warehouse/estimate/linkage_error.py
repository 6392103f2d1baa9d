"""What errors of linkage do to a rate: a rate put right for precision and recall, and multiple imputation over uncertain links.

Of N people, those seen with an outcome are seen by a link. A share `precision` of them truly has it, and a share `recall` of all who
truly have it is seen, so true rate = seen rate x precision / recall. This is Rogan and Gladen's estimator (American Journal of
Epidemiology 107, 1978) written with the predictive value instead of the specificity; for follow-up by linkage see Brenner,
Schmidtmann and Stegmaier, "Effects of record linkage errors on registry-based follow-up studies", Statistics in Medicine 16, 1997.
Precision and recall are of persons' statuses, not of pairs of records: a false link to one who has the outcome anyway does no
harm, and one of a person's several true links is enough. Assumed: errors are the same for those with and without the outcome within
the group the rate is of; where they differ by group, put right each group by its own.

Imputation: each uncertain record is given to one of its possible persons or to nobody, by the probabilities of the linkage, many times; the
results are put together by Rubin's rules (Multiple Imputation for Nonresponse in Surveys, 1987; degrees of freedom of Barnard and
Rubin, Biometrika 86, 1999). For linkage: Goldstein, Harron and Wade, Statistics in Medicine 31, 2012. It is as good as the
probabilities: if 0.9 is not right nine times in ten, neither is the result. If they are exactly right the interval is a little wide, since
the imputation then knows more than the formula for the complete data (Meng, Statistical Science 9, 1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import CONFIDENCE, Interval, numbers, wilson
from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

DRAWS = 20


@dataclass(frozen=True)
class Pooled:
    """A result over imputations: its interval, standard error, degrees of freedom, and the share of information lost to uncertain links."""

    interval: Interval
    std_error: float
    degrees: float
    lost: float


def adjusted_rate(seen: int, people: int, precision: Interval, recall: Interval, confidence: float = CONFIDENCE) -> Interval:
    """A rate put right for linkage, with an interval that holds the errors of all three parts.

    The limits recover from each part's own limits the variance on its side, on the log scale (Zou and Donner, Statistics in Medicine
    27, 2008), so lopsided intervals of precision and recall stay lopsided. All three must have the same confidence and be independent.

    Args:
        seen: people seen with the outcome.
        people: people in all.
        precision: share of those seen who truly have it.
        recall: share of those who truly have it who are seen.

    Returns:
        The rate, at most 1.

    Raises:
        EstimateFault: nobody, more seen than people, a precision or recall of 0 or not in order, or a rate beyond 1 by more than its interval.
    """
    rate = wilson(seen, people, confidence)
    for part, name in ((precision, "precision"), (recall, "recall")):
        if not 0 < part.value <= 1 or not 0 < part.low <= part.value <= part.high <= 1:
            raise EstimateFault(f"The {name} must be above 0, at most 1, and inside its limits")
    value = rate.value * precision.value / recall.value
    if not seen:
        return Interval(0.0, 0.0, min(rate.high * precision.value / recall.low, 1.0))
    below = np.array([np.log(rate.value / rate.low), np.log(precision.value / precision.low), np.log(recall.high / recall.value)])
    above = np.array([np.log(rate.high / rate.value), np.log(precision.high / precision.value), np.log(recall.value / recall.low)])
    low, high = value * np.exp(-np.hypot.reduce(below)), value * np.exp(np.hypot.reduce(above))
    if low > 1:
        raise EstimateFault("With this precision and recall more people than there are would have the outcome: one of them is not this group's")
    return Interval(min(value, 1.0), float(low), float(min(high, 1.0)))


def partly_linked_rate(certain: int, by_link: int, people: int, precision: Interval, recall: Interval, confidence: float = CONFIDENCE) -> Interval:
    """A rate of which only a part rests on links: that part put right, the other as it is.

    The limits recover the variance of each part from its own limits (Zou and Donner 2008, sums); the parts being shares of the same people, whose errors
    draw against each other, the interval is a little wide rather than narrow.

    Args:
        certain: people seen with the outcome without any link.
        by_link: people seen with it by a link alone.
        people, precision, recall: as `adjusted_rate`; both are of `by_link`.

    Raises:
        EstimateFault: as `adjusted_rate`.
    """
    linked = adjusted_rate(by_link, people, precision, recall, confidence)
    if not certain:
        return linked
    own = wilson(certain, people, confidence)
    value = own.value + linked.value
    low = value - float(np.hypot(own.value - own.low, linked.value - linked.low))
    high = value + float(np.hypot(own.high - own.value, linked.high - linked.value))
    return Interval(min(value, 1.0), max(low, 0.0), min(high, 1.0))


def rubin(estimates: Sequence[float] | Numbers, variances: Sequence[float] | Numbers, people: float = np.inf, confidence: float = CONFIDENCE) -> Pooled:
    """Put the results of several imputations together.

    Args:
        estimates: the estimate of each imputation.
        variances: the square of each one's standard error, as if its links were certain.
        people: units behind each estimate, for the degrees of freedom in small groups.

    Raises:
        EstimateFault: fewer than two imputations, variances below 0, or none at all.
    """
    from scipy.stats import t

    q, u = numbers(estimates, "estimates"), numbers(variances, "variances")
    m = len(q)
    if m < 2 or len(u) != m or u.min() < 0:
        raise EstimateFault("Two imputations or more are needed, each with its variance")
    within, between = u.mean(), q.var(ddof=1)
    total = within + (1 + 1 / m) * between
    if total <= 0:
        raise EstimateFault("The imputations have no variance at all: there is nothing to make an interval of")
    lost = (1 + 1 / m) * between / total
    old = (m - 1) / lost**2 if lost > 0 else np.inf
    complete = people - 1
    seen = complete if np.isinf(complete) else (complete + 1) / (complete + 3) * complete * (1 - lost)
    degrees = 1 / (1 / old + 1 / seen) if seen > 0 else 1.0
    reach = t.ppf((1 + confidence) / 2, degrees) * total**0.5
    middle = float(q.mean())
    return Pooled(Interval(middle, middle - float(reach), middle + float(reach)), float(total**0.5), float(degrees), float(lost))


def imputed_rate(links: pd.DataFrame, people: int, draws: int = DRAWS, seed: int = 1, confidence: float = CONFIDENCE) -> Pooled:
    """The share of people with an outcome, over imputations of which record is whose.

    Args:
        links: a row for each possible link of a record that shows the outcome: record, person (any keys), probability. A record's
            probabilities add up to at most 1: what is missing is that it is nobody's of these people.
        people: people in all, with or without a possible link.
        draws: imputations; 20 or more.
        seed: of the draws; the same seed, the same result, whatever the order of the rows.

    Returns:
        The pooled rate; its interval is kept within 0 and 1.

    Raises:
        EstimateFault: probabilities that are none, or add up to more than 1 for a record; more people linked than there are.
    """
    import pandas as pd

    rows = links.sort_values(["record", "person"], kind="stable")
    chance = numbers(rows["probability"], "probability")
    records, _ = pd.factorize(rows["record"])
    persons, known = pd.factorize(rows["person"])
    if len(known) > people or people < 2:
        raise EstimateFault("There are fewer people than the links name")
    if len(chance) and (chance.min() < 0 or np.bincount(records, weights=chance).max() > 1 + 1e-9):
        raise EstimateFault("The probabilities of a record's links lie between 0 and 1 and add up to at most 1")
    reach = pd.Series(chance).groupby(records).cumsum().to_numpy()
    random = np.random.default_rng(seed)
    rates = np.empty(draws)
    for number in range(draws):
        # One throw a record: it falls into the stretch of one of its persons, or beyond them all.
        throw = random.random(int(records.max()) + 1 if len(records) else 0)[records]
        drawn = (throw < reach) & (throw >= reach - chance)
        rates[number] = (np.bincount(persons[drawn], minlength=1) > 0).sum() / people
    # A rate of 0 or 1 has no variance of its own by the simple formula; half a person's keeps the interval honest.
    kept = np.clip(rates, 0.5 / people, 1 - 0.5 / people)
    found = rubin(rates, kept * (1 - kept) / people, people, confidence)
    inside = Interval(found.interval.value, max(found.interval.low, 0.0), min(found.interval.high, 1.0))
    return Pooled(inside, found.std_error, found.degrees, found.lost)
