"""Disclosure control of what a summary or report may say about small numbers of people.

The rules of the published layer: counts under five are not told and rates are computed from counts rounded to five, so
that neither can be worked out from the other or from the published tables. What is left over counts too: "98 of 100"
names two people as surely as "2 of 100". Source: local NDTMS tables (recalled).
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.publish.facts import Outcome, Tally

SMALLEST_TOLD = 5
ROUNDED_TO = 5
TOO_FEW = "fewer than 5"
WITHHELD = "withheld"


@dataclass(frozen=True)
class Share:
    """A share that may be told: journeys with the outcome, of those followed up; both rounded."""

    numerator: int
    denominator: int

    @property
    def rate(self) -> float:
        return self.numerator / self.denominator

    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval of the rate."""
        from scipy.stats import binomtest

        interval = binomtest(self.numerator, self.denominator).proportion_ci(confidence_level=0.95, method="wilson")
        return float(interval.low), float(interval.high)


def people(count: int | None) -> str:
    """A count of people in words fit for a report."""
    if count is None:
        return "not known"
    return TOO_FEW if count < SMALLEST_TOLD else f"{count:,}"


def journeys(tally: Tally) -> str:
    """A count of journeys in words: rounded, and not told when they are the journeys of too few people."""
    return TOO_FEW if tally.people < SMALLEST_TOLD else f"{_rounded(tally.journeys):,}"


def share(outcome: Outcome) -> Share | None:
    """The rate of an outcome, or None when it would tell about fewer than five people."""
    if min(outcome.tally("yes").people, outcome.tally("no").people) < SMALLEST_TOLD:
        return None
    return Share(_rounded(outcome.numerator), _rounded(outcome.denominator))


def told_share(outcome: Outcome) -> tuple[str, str]:
    """Numerator and denominator in words. The total of a withheld part is withheld with it: the rest would give it away."""
    told = share(outcome)
    if told:
        return f"{told.numerator:,}", f"{told.denominator:,}"
    yes = outcome.tally("yes")
    return (TOO_FEW if yes.people < SMALLEST_TOLD else WITHHELD), WITHHELD


def _rounded(count: int) -> int:
    return round(count / ROUNDED_TO) * ROUNDED_TO
