"""When a feed is due and late, by cadence, around the ends of months and years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from warehouse.contracts.model import Delivery
from warehouse.receive.cadence import due


def feed(cadence: str, late_after_days: int = 0) -> Delivery:
    return Delivery.model_validate({"kind": "changes", "cadence": cadence, "late_after_days": late_after_days})


@pytest.mark.parametrize(
    ("cadence", "last", "expected"),
    [
        ("daily", date(2026, 11, 30), date(2026, 12, 1)),
        ("daily", date(2026, 12, 31), date(2027, 1, 1)),
        ("daily", date(2028, 2, 28), date(2028, 2, 29)),
        ("weekly", date(2026, 12, 28), date(2027, 1, 4)),
        ("weekly", date(2027, 2, 24), date(2027, 3, 3)),
        ("monthly", date(2026, 11, 15), date(2026, 12, 15)),
        ("monthly", date(2026, 12, 15), date(2027, 1, 15)),
        # A month end stays a month end, so that a short month does not pull all later due dates forward.
        ("monthly", date(2027, 1, 31), date(2027, 2, 28)),
        ("monthly", date(2027, 2, 28), date(2027, 3, 31)),
        ("monthly", date(2028, 2, 28), date(2028, 3, 28)),
        ("monthly", date(2028, 2, 29), date(2028, 3, 31)),
        ("monthly", date(2027, 1, 30), date(2027, 2, 28)),
        ("monthly", date(2027, 4, 30), date(2027, 5, 31)),
    ],
)
def test_due_dates(cadence: str, last: date, expected: date) -> None:
    assert due(feed(cadence), last).due_on == expected


@pytest.mark.parametrize("cadence", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("allowed", [0, 2, 10])
def test_late_begins_when_the_allowed_days_are_over(cadence: str, allowed: int) -> None:
    expected = due(feed(cadence, allowed), date(2026, 11, 30))
    assert expected.due_on is not None
    last_patient_night = expected.due_on + timedelta(days=allowed)
    assert not expected.is_late(date(2026, 11, 30))
    assert not expected.is_late(last_patient_night)
    assert expected.is_late(last_patient_night + timedelta(days=1))


def test_a_feed_that_never_came_is_late_from_the_start() -> None:
    never = due(feed("monthly", 30), None)
    assert never.due_on is None
    assert never.is_late(date(1970, 1, 1))
