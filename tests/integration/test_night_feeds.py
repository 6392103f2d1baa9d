"""`ops.night_feed`: what each night was built on, by the deliveries up to that night and no later one."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from warehouse.contracts.load import feeds
from warehouse.database import connect
from warehouse.link import stage as link
from warehouse.receive import staleness

pytestmark = pytest.mark.integration

FIRST, LATER = date(2026, 11, 1), date(2026, 11, 9)
FEED = "police"


def came(night: date, status: str, content: str, coverage_end: date | None = None) -> int:
    with connect("loader") as connection:
        row = connection.execute(
            "insert into ops.delivery (feed, night, content_hash, status, coverage_end) values (%s, %s, %s, %s, %s) returning delivery_id",
            [FEED, night, content, status, coverage_end],
        ).fetchone()
    assert row is not None
    return int(row[0])


def noted(night: date) -> dict[str, tuple[Any, ...]]:
    with connect("analyst") as connection:
        rows = connection.execute("select feed, delivery_id, last_night, coverage_end, due_on, is_stale, reason from ops.night_feed where night = %s", [night])
        return {feed: tuple(rest) for feed, *rest in rows}


def test_every_feed_has_a_row_and_one_that_never_came_is_stale(clean_db: Path) -> None:
    assert staleness.record(FIRST) == feeds()
    assert set(noted(FIRST)) == set(feeds())
    assert noted(FIRST)[FEED] == (None, None, None, None, True, "never delivered")


def test_the_delivery_in_use_is_the_last_admitted_up_to_the_night(clean_db: Path) -> None:
    used = came(FIRST, "admitted", "first", date(2026, 10, 31))
    refused = came(date(2026, 11, 4), "refused", "bad")
    newer = came(date(2026, 11, 8), "admitted", "newer")
    assert FEED not in staleness.record(FIRST)
    assert noted(FIRST)[FEED] == (used, FIRST, date(2026, 10, 31), date(2026, 11, 2), False, "on time")
    assert FEED in staleness.record(date(2026, 11, 7))
    assert noted(date(2026, 11, 7))[FEED][-1].endswith(f"delivery {refused} of 2026-11-04 was refused")
    assert FEED not in staleness.record(LATER)
    assert noted(LATER)[FEED][:3] == (newer, date(2026, 11, 8), date(2026, 11, 8))


def test_noting_again_brings_the_rows_up_to_date(clean_db: Path) -> None:
    staleness.record(FIRST)
    came(FIRST, "admitted", "it came after all")
    staleness.record(FIRST)
    staleness.record(FIRST)
    assert noted(FIRST)[FEED][-2:] == (False, "on time")
    assert len(noted(FIRST)) == len(feeds())


def test_a_withdrawn_delivery_is_not_in_use(clean_db: Path) -> None:
    came(FIRST, "rejected", "withdrawn")
    came(FIRST, "superseded", "replaced")
    used = came(FIRST, "admitted", "corrected")
    staleness.record(FIRST)
    assert noted(FIRST)[FEED][0] == used


def test_linkage_notes_them_before_it_starts(clean_db: Path) -> None:
    came(FIRST, "admitted", "first")
    counts = link.score(FIRST)
    assert counts["stale_feeds"] == len(feeds()) - 1
    assert noted(FIRST)[FEED][-2:] == (False, "on time")
