"""What is said of a feed on a night: on time or late, and why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.receive.staleness import Standing, judge

FIRST = date(2026, 11, 1)


@pytest.fixture
def daily() -> Contract:
    """A feed that is due daily and late after two days."""
    contract = all_contracts()[0]
    return contract.model_copy(update={"delivery": contract.delivery.model_copy(update={"cadence": "daily", "late_after_days": 2})})


def test_a_feed_within_its_days_is_on_time(daily: Contract) -> None:
    found = judge(daily, Standing(7, FIRST, FIRST), FIRST + timedelta(days=3))
    assert (found.is_stale, found.reason, found.due_on, found.delivery_id) == (False, "on time", date(2026, 11, 2), 7)


def test_a_silent_feed_says_since_when(daily: Contract) -> None:
    found = judge(daily, Standing(7, FIRST, FIRST), FIRST + timedelta(days=4))
    assert found.is_stale
    assert found.reason == "last delivery 2026-11-01, the next was due 2026-11-02 and late from 2026-11-05; nothing came after it"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("refused", "delivery 9 of 2026-11-04 was refused"),
        ("duplicate", "delivery 9 of 2026-11-04 repeats an earlier one"),
        ("rejected", "delivery 9 of 2026-11-04 was rejected"),
        ("loaded", "delivery 9 of 2026-11-04 got no further than 'loaded'"),
    ],
)
def test_what_came_and_was_not_admitted_is_named(daily: Contract, status: str, words: str) -> None:
    newer = {"newer_id": 9, "newer_night": date(2026, 11, 4), "newer_status": status}
    late = judge(daily, Standing(7, FIRST, FIRST, **newer), FIRST + timedelta(days=9))
    assert late.reason.endswith(f"; {words}")
    never = judge(daily, Standing(**newer), FIRST)
    assert (never.is_stale, never.reason) == (True, f"never delivered; {words}")


def test_a_feed_that_never_came_is_stale(daily: Contract) -> None:
    found = judge(daily, Standing(), FIRST)
    assert (found.is_stale, found.reason, found.due_on, found.last_night) == (True, "never delivered", None, None)
