"""Results of matched people in the manner of the Justice Data Lab: whether, how often and how soon, with what may be concluded.

Source of the three measures and of the form of the wording: Ministry of Justice, Justice Data Lab reports and user guidance (for
example Leeds Integrated Offender Management, 2017); the wording here is recalled, not copied. Intervals are of differences within
pairs, since matched people are not two independent samples (Austin, International Journal of Biostatistics 5, 2009); time to the first
reoffence is of those who reoffended only, who are not pairs, by Welch (Biometrika 34, 1947).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import CONFIDENCE, Interval, numbers
from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.matching import Matched

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]


@dataclass(frozen=True)
class Measure:
    """One measure: the two sides' means, their difference (treated less others) with its interval, and p."""

    treated: float
    others: float
    difference: Interval
    p: float

    @property
    def is_significant(self) -> bool:
        """Whether chance is an unlikely explanation at the confidence of the interval."""
        return self.difference.low > 0 or self.difference.high < 0


@dataclass(frozen=True)
class Results:
    """The three measures: share with the event, events a person, and time to the first among those with one (None if fewer than two a side)."""

    people: int
    submitted: int
    binary: Measure
    frequency: Measure
    time_to_first: Measure | None
    is_balanced: bool


def results(people: pd.DataFrame, matched: Matched, events: str, first: str, confidence: float = CONFIDENCE) -> Results:
    """What happened to the matched people.

    Args:
        people: the frame that was matched, in the same order.
        events: the column with the number of events in the follow-up, 0 or more.
        first: the column with the time to the first event, in days; missing for those without.

    Raises:
        EstimateFault: counts that are none, or a first event without a time.
    """
    count = numbers(people[events], events)
    days = people[first].to_numpy(dtype=float, na_value=np.nan)
    if count.min() < 0 or np.isnan(days[count > 0]).any():
        raise EstimateFault(f"{events} must be 0 or more, and {first} known wherever it is above 0")
    ours, theirs = count[matched.treated], count[matched.others]
    when = _welch(days[matched.treated][ours > 0], days[matched.others][theirs > 0], confidence)
    binary = _paired((ours > 0).astype(float), (theirs > 0).astype(float), confidence)
    frequency = _paired(ours, theirs, confidence)
    return Results(matched.people, matched.submitted, binary, frequency, when, bool(matched.balance["is_balanced"].all()))


def wording(found: Results, group: str, event: str, period: str, cause: str) -> list[str]:
    """What may and what may not be concluded, in the form readers of the Justice Data Lab know.

    Args:
        group: the treated, as "people treated for drug use".
        event: as "a proven reoffence".
        period: as "twelve months".
        cause: what the treated had that the others had not, as "being treated".
    """
    share, often = found.binary, found.frequency
    said = [
        f"Of {found.submitted:,} {group}, {found.people:,} could be matched to people like them in what the warehouse knows; the figures are of those.",
        f"For any 100 typical people in this group, {100 * share.treated:.0f} had {event} within {period}; "
        f"for any 100 in the comparison group, {100 * share.others:.0f}.",
        f"For any 100 typical people in this group there were {100 * often.treated:.0f} such events; in the comparison group, {100 * often.others:.0f}.",
        _may_say(share, event, period, cause),
        f"What may not be said: that the difference is all the doing of {cause}. The groups are alike in what was matched on; what was not "
        "recorded, such as motivation, may differ. Nor does the figure speak of people who could not be matched.",
    ]
    if found.time_to_first:
        soon = found.time_to_first
        said.insert(3, f"Those who had one had the first after {soon.treated:.0f} days on average, in the comparison group after {soon.others:.0f}.")
    if not found.is_balanced:
        said.append("The matched groups still differ by a tenth of a standard deviation or more in some characteristic: read the difference with caution.")
    return said


def _may_say(share: Measure, event: str, period: str, cause: str) -> str:
    low, high = sorted((100 * abs(share.difference.low), 100 * abs(share.difference.high)))
    if not share.is_significant:
        return (
            f"What may be said: this analysis does not show whether {cause} changes the number of people with {event} within {period}. "
            "That is not the same as showing no change: more people may be needed."
        )
    way = "decrease" if share.difference.value < 0 else "increase"
    return (
        f"What may be said: {cause} may {way} the number of people with {event} within {period}, by between {low:.0f} and {high:.0f} of any 100 typical people."
    )


def _paired(ours: Numbers, theirs: Numbers, confidence: float) -> Measure:
    from scipy.stats import t

    difference, pairs = ours - theirs, len(ours)
    value, error = float(difference.mean()), float(difference.std(ddof=1) / pairs**0.5)
    return _measure(float(ours.mean()), float(theirs.mean()), value, error, pairs - 1, confidence, t)


def _welch(ours: Numbers, theirs: Numbers, confidence: float) -> Measure | None:
    from scipy.stats import t

    if min(len(ours), len(theirs)) < 2:
        return None
    parts = np.array([ours.var(ddof=1) / len(ours), theirs.var(ddof=1) / len(theirs)])
    error = float(parts.sum() ** 0.5)
    degrees = error**4 / float((parts**2 / np.array([len(ours) - 1, len(theirs) - 1])).sum()) if error else 1.0
    return _measure(float(ours.mean()), float(theirs.mean()), float(ours.mean() - theirs.mean()), error, degrees, confidence, t)


def _measure(ours: float, theirs: float, value: float, error: float, degrees: float, confidence: float, t: Any) -> Measure:
    reach = float(t.ppf((1 + confidence) / 2, degrees)) * error
    p = float(2 * t.sf(abs(value / error), degrees)) if error else float(value == 0)
    return Measure(ours, theirs, Interval(value, value - reach, value + reach), p)
