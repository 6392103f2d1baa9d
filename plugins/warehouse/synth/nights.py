"""What is delivered on which night.

A feed's table is a set of rows with the night each is first known, the nights something about it becomes known, and the
night it is withdrawn. What a row says on a night follows from those alone, so night k is the same whether or not later
nights were written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from warehouse.synth.arrays import NEVER, Ints, Text, pick

Cells = dict[str, Text]
Kind = Literal["snapshot", "changes", "events"]
Cadence = Literal["daily", "weekly", "monthly"]
DAYS_BETWEEN = {"daily": 1, "weekly": 7, "monthly": 28}


@dataclass(frozen=True)
class Rows:
    """The rows of one table of one feed, of one chunk of people.

    Attributes:
        first_known: night on which a row is first delivered; rows of the history have the first night.
        changes: nights on which a row's values change, one array per reason; NEVER where they do not.
        withdrawn: night on which a row is deleted (changes feeds) or stops being delivered (snapshots).
        cells: the text of every column it knows for the given rows as they stand on a night; absent columns are null.
        record: for tables that tell who a person is, the person of each row and the agency's id for the record.
    """

    first_known: Ints
    cells: Callable[[Ints, int], Cells]
    changes: list[Ints] = field(default_factory=list)
    withdrawn: Ints | None = None
    record: tuple[Ints, Callable[[Ints], Text]] | None = None


def known(day: Ints, lag: Ints, first_night: int) -> Ints:
    """The night on which something that happened on `day` is delivered, `lag` days later at the earliest."""
    return np.where(day < NEVER, np.maximum(day + lag, first_night), NEVER)


def since(night: int, first_night: int, cadence: Cadence) -> int | None:
    """The night of the delivery before the one of `night`; None when a feed of this cadence delivers nothing on `night`.

    Deliveries start on the first night; the one before the first is the night before it.
    """
    days = DAYS_BETWEEN[cadence]
    if (night - first_night) % days:
        return None
    return night - days if night > first_night else first_night - 1


def delivered(rows: Rows, night: int, previous: int, kind: Kind) -> tuple[Ints, Text | None]:
    """Which rows a night's file holds, and the change type of each (None for feeds that do not deliver changes).

    Args:
        previous: the night of the delivery before.
    """
    gone = rows.withdrawn if rows.withdrawn is not None else np.full(len(rows.first_known), NEVER)
    standing = (rows.first_known <= night) & (gone > night)
    if kind == "snapshot":
        return np.flatnonzero(standing), None
    new = standing & (rows.first_known > previous)
    if kind == "events":
        return np.flatnonzero(new), None
    changed = np.zeros(len(new), dtype=bool)
    for when in rows.changes:
        changed |= (when > previous) & (when <= night)
    changed &= standing & ~new
    deleted = (gone > previous) & (gone <= night) & (rows.first_known <= previous)
    index = np.flatnonzero(new | changed | deleted)
    code = np.select([new[index], changed[index]], [0, 1], 2)
    return index, pick(["I", "U", "D"], code)


def has_been_delivered(rows: Rows, night: int, first_night: int, cadence: Cadence) -> Ints:
    """Rows that some file up to and with this night has held."""
    days = DAYS_BETWEEN[cadence]
    gone = rows.withdrawn if rows.withdrawn is not None else np.full(len(rows.first_known), NEVER)
    first_file = first_night + -(-(rows.first_known - first_night) // days) * days
    return np.flatnonzero((first_file <= night) & (gone > first_file))
