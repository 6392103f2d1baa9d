"""What is past keeping, decided from dates alone: no database, no files, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

# A delivery of any other status may still be taken up, and needs its files.
ENDED = frozenset({"admitted", "duplicate", "refused", "superseded", "rejected"})


@dataclass(frozen=True)
class Delivered:
    """A delivery as far as retention cares."""

    delivery_id: int
    feed: str
    night: date
    status: str


def replayable_nights(deliveries: Iterable[Delivered], keep_nights: int) -> dict[str, set[date]]:
    """For each feed, its last `keep_nights` admitted nights: those whose deliveries must stay replayable however old they are."""
    nights: dict[str, set[date]] = {}
    for delivery in deliveries:
        if delivery.status == "admitted":
            nights.setdefault(delivery.feed, set()).add(delivery.night)
    return {feed: set(sorted(admitted)[-keep_nights:]) for feed, admitted in nights.items()}


def copies_past_keeping(deliveries: list[Delivered], older: date, keep_nights: int) -> list[Delivered]:
    """The deliveries whose landed copy may go: ended, of a night before `older`, and needed by no replay of the last nights.

    A replay of a night needs that night's admitted delivery alone; a superseded or refused one beside it may go.
    """
    replayable = replayable_nights(deliveries, keep_nights)
    return [d for d in deliveries if d.status in ENDED and d.night < older and not (d.status == "admitted" and d.night in replayable.get(d.feed, set()))]


def history_older(deliveries: list[Delivered], feed: str, older: date, landing_older: date, keep_nights: int) -> date:
    """The date before which closed versions of a feed may go: `older`, or the oldest night that can be replayed if that is earlier.

    A replay rolls a feed back to before a night and takes up again every version closed on or after it.
    """
    own = [delivery for delivery in deliveries if delivery.feed == feed]
    gone = {delivery.delivery_id for delivery in copies_past_keeping(own, landing_older, keep_nights)}
    kept = [delivery.night for delivery in own if delivery.status == "admitted" and delivery.delivery_id not in gone]
    return min([older, *kept])
