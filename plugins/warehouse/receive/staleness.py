"""What a night is built on: the delivery each feed stands at, and whether the feed is late against its cadence.

Written to `ops.night_feed` when linkage starts, since from there on the night no longer waits for anyone. The marts, the
report and `warehouse status` read it there, so that all of them say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.database import clean_errors, connect
from warehouse.receive.cadence import Due, due

# The latest admitted delivery of each feed up to a night, and the latest that came to nothing after it.
STANDING = """
with admitted as (
    select distinct on (feed) feed, delivery_id, night, coalesce(coverage_end, night) as coverage_end
    from ops.delivery
    where status = 'admitted' and night <= %(night)s
    order by feed, night desc, delivery_id desc
)
select distinct on (d.feed) d.feed, a.delivery_id, a.night, a.coverage_end,
       case when d.delivery_id is distinct from a.delivery_id then d.delivery_id end, d.night, d.status
from ops.delivery d
left join admitted a using (feed)
where d.night <= %(night)s and (a.night is null or d.night > a.night or d.delivery_id = a.delivery_id)
order by d.feed, d.night desc, d.delivery_id desc
"""

UPSERT = """
insert into ops.night_feed (night, feed, delivery_id, last_night, coverage_end, due_on, is_stale, reason)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (night, feed) do update
set delivery_id = excluded.delivery_id, last_night = excluded.last_night, coverage_end = excluded.coverage_end,
    due_on = excluded.due_on, is_stale = excluded.is_stale, reason = excluded.reason
"""

NOTHING_SINCE = "nothing came after it"
FATES = {"duplicate": "repeats an earlier one", "refused": "was refused", "rejected": "was rejected", "superseded": "was superseded"}


@dataclass(frozen=True)
class Standing:
    """Where a feed stands on a night: the delivery in use, and the newest that came after it without being admitted."""

    delivery_id: int | None = None
    last_night: date | None = None
    coverage_end: date | None = None
    newer_id: int | None = None
    newer_night: date | None = None
    newer_status: str | None = None


@dataclass(frozen=True)
class NightFeed:
    """One row of `ops.night_feed`: what a night takes a feed from, and whether the feed is late."""

    night: date
    feed: str
    delivery_id: int | None
    last_night: date | None
    coverage_end: date | None
    due_on: date | None
    is_stale: bool
    reason: str


def judge(contract: Contract, standing: Standing, night: date) -> NightFeed:
    """Whether a feed is late on a night, and the reason in words: never a person's value, only dates, ids and statuses."""
    expected = due(contract.delivery, standing.last_night)
    is_late = expected.is_late(night)
    return NightFeed(
        night,
        contract.feed,
        standing.delivery_id,
        standing.last_night,
        standing.coverage_end,
        expected.due_on,
        is_late,
        _reason(standing, expected, is_late),
    )


def _reason(standing: Standing, expected: Due, is_late: bool) -> str:
    newer = ""
    if standing.newer_id is not None:
        fate = FATES.get(standing.newer_status or "", f"got no further than '{standing.newer_status}'")
        newer = f"delivery {standing.newer_id} of {standing.newer_night} {fate}"
    if standing.last_night is None:
        return f"never delivered; {newer}" if newer else "never delivered"
    if not is_late:
        return "on time"
    return f"last delivery {standing.last_night}, the next was due {expected.due_on} and late from {expected.late_from}; {newer or NOTHING_SINCE}"


def standings(connection: Connection[Any], night: date) -> dict[str, Standing]:
    """Where each feed stands on a night by feed; a feed without any delivery is missing."""
    return {feed: Standing(*rest) for feed, *rest in connection.execute(STANDING, {"night": night}).fetchall()}


def feeds_on(connection: Connection[Any], night: date, contracts: list[Contract] | None = None) -> list[NightFeed]:
    """Every feed as it stands on a night, whether or not the night has been linked; in alphabetical order."""
    known = standings(connection, night)
    return [judge(contract, known.get(contract.feed, Standing()), night) for contract in contracts or all_contracts()]


def record(night: date) -> list[str]:
    """Note in `ops.night_feed` what the night is built on, one row per feed; running it again brings the rows up to date.

    Returns:
        The stale feeds, in alphabetical order.

    Raises:
        DatabaseFault: the database refused.
    """
    with clean_errors("note what the night is built on"), connect("linker") as connection:
        found = feeds_on(connection, night)
        connection.cursor().executemany(UPSERT, [(f.night, f.feed, f.delivery_id, f.last_night, f.coverage_end, f.due_on, f.is_stale, f.reason) for f in found])
    return [f.feed for f in found if f.is_stale]
