"""The published indicators and exit reasons that a summary or report tells: plain values, already fit for everyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class IndicatorFigure:
    """The latest published figure of an indicator for England; None where withheld.

    `better`, `similar` and `worse` count the authorities by how they stand to England; authorities whose figure is
    withheld, and indicators of which no side is better, are in none.
    """

    indicator: str
    title: str
    measure: str
    per: int
    period: str
    period_start: date
    period_end: date
    value: float | None
    lower: float | None
    upper: float | None
    units: int | None
    units_all: int | None
    direction: str | None
    better: int
    similar: int
    worse: int


@dataclass(frozen=True)
class ExitShare:
    """Journeys of England that ended in a financial year for one reason; None where withheld."""

    year: str
    reason: str
    outcome_group: str
    journeys: int | None
    percent: float | None


@dataclass(frozen=True)
class Indicators:
    """The latest figure of every indicator, and why treatment ended in the latest complete year."""

    figures: tuple[IndicatorFigure, ...] = ()
    exits: tuple[ExitShare, ...] = ()
