"""When the next delivery of a feed is due, and from when on a feed counts as late. Dates alone; no database, no clock."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from warehouse.contracts.model import Delivery

DAYS = {"daily": 1, "weekly": 7}


@dataclass(frozen=True)
class Due:
    """When a feed's next delivery is due.

    `due_on` is the night it is expected for, `late_from` the first night without it on which the feed is late; both are None
    for a feed that was never delivered, which is late from the start.
    """

    due_on: date | None
    late_from: date | None

    def is_late(self, night: date) -> bool:
        """Whether the feed is late on a night that its next delivery has not come for."""
        return self.late_from is None or night >= self.late_from


def due(delivery: Delivery, last_night: date | None) -> Due:
    """When the delivery after the one of `last_night` is due, by the contract's cadence and `late_after_days`.

    Args:
        last_night: the night of the feed's latest admitted delivery; None before the first.
    """
    if last_night is None:
        return Due(None, None)
    due_on = _month_after(last_night) if delivery.cadence == "monthly" else last_night + timedelta(days=DAYS[delivery.cadence])
    return Due(due_on, due_on + timedelta(days=delivery.late_after_days + 1))


def _month_after(day: date) -> date:
    """The same day of the next month, or its last day where it is shorter; the last day of a month gives the last of the next."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    last, next_last = monthrange(day.year, day.month)[1], monthrange(year, month)[1]
    return date(year, month, next_last if day.day == last else min(day.day, next_last))
