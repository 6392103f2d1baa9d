"""Small vectorised tools: ragged expansion, draws, and arrays of text for files.

Days are whole numbers since 1970-01-01 (int64). `NEVER` stands for a day that does not come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Text: TypeAlias = pa.Array

NEVER = 2**30
YEAR = 365.25
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST_DAY = date(1890, 1, 1).toordinal() - _EPOCH
_LAST_DAY = date(2060, 1, 1).toordinal() - _EPOCH
DATE_FORMATS = {"YYYY-MM-DD": "%Y-%m-%d", "DD/MM/YYYY": "%d/%m/%Y"}


def day_number(day: date) -> int:
    """The day as a whole number since 1970-01-01."""
    return day.toordinal() - _EPOCH


def calendar(days: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of the month of each day."""
    dates = days.astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    months = dates.astype("datetime64[M]")
    return (
        years.astype(np.int64) + 1970,
        months.astype(np.int64) % 12 + 1,
        (dates - months).astype(np.int64) + 1,
    )


def from_calendar(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days from year, month and day of the month; a day past the month's end runs into the next month."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def rank_within(counts: Ints) -> Ints:
    """0, 1, 2 ... within each group, for groups of the given sizes laid end to end."""
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum(), dtype=np.int64) - np.repeat(starts, counts)


def order_within(group: Ints) -> Ints:
    """0, 1, 2 ... within each run of equal values of a sorted array."""
    if len(group) == 0:
        return np.zeros(0, dtype=np.int64)
    first = np.r_[True, group[1:] != group[:-1]]
    starts = np.flatnonzero(first)
    return np.arange(len(group), dtype=np.int64) - np.repeat(starts, np.diff(np.r_[starts, len(group)]))


def following(values: Ints, *groups: Ints) -> Ints:
    """The value of the next row where it is of the same groups as this one, else NEVER; rows of a group lie together."""
    result = np.full(len(values), NEVER, dtype=np.int64)
    if len(values) > 1:
        same = np.logical_and.reduce([group[1:] == group[:-1] for group in groups])
        result[:-1] = np.where(same, values[1:], NEVER)
    return result


def choose(rng: np.random.Generator, weights: Sequence[float] | Floats, size: int) -> Ints:
    """Index drawn with the given weights, which need not add up to one."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn: Ints = np.searchsorted(edges, rng.random(size) * edges[-1], side="right").astype(np.int64)
    return drawn.clip(0, len(edges) - 1)


def choose_by_row(rng: np.random.Generator, weights: Floats, row: Ints) -> Ints:
    """Index drawn for each element with the weights in its row of a table."""
    edges = np.cumsum(weights, axis=1)
    edges /= edges[:, -1:]
    drawn: Ints = (rng.random(len(row))[:, None] > edges[row]).sum(axis=1).clip(0, weights.shape[1] - 1).astype(np.int64)
    return drawn


def chance(rng: np.random.Generator, probability: float | Floats, size: int) -> Flags:
    """True with the given probability."""
    drawn: Flags = rng.random(size) < probability
    return drawn


@lru_cache(maxsize=4)
def _day_texts(style: str) -> Text:
    days = np.arange(_FIRST_DAY, _LAST_DAY).astype("datetime64[D]")
    texts = np.datetime_as_string(days, unit="D")
    if style == "DD/MM/YYYY":
        texts = np.array([f"{t[8:10]}/{t[5:7]}/{t[0:4]}" for t in texts])
    return pa.array(texts, type=pa.string())


def date_texts(days: Ints, style: str, visible: int = NEVER - 1) -> Text:
    """Days as text in one of DATE_FORMATS; null where the day is later than `visible` or out of the calendar."""
    hidden = (days > visible) | (days < _FIRST_DAY) | (days >= _LAST_DAY)
    return _day_texts(style).take(pa.array(np.where(hidden, 0, days - _FIRST_DAY), mask=hidden))


def pick(values: Sequence[str | None] | Text, index: Ints, missing: Flags | None = None) -> Text:
    """The text at each index; null where `missing`."""
    pool = values if isinstance(values, pa.Array) else pa.array(list(values), type=pa.string())
    return pool.take(pa.array(index, mask=missing))


def numbers(values: npt.NDArray[Any], missing: Flags | None = None) -> Text:
    """Whole numbers as text; null where `missing`."""
    return pc.cast(pa.array(values.astype(np.int64), mask=missing), pa.string())


def join(*parts: Text | str, sep: str = "") -> Text:
    """Texts joined element by element; null where one part is null."""
    return pc.binary_join_element_wise(*[pa.scalar(p) if isinstance(p, str) else p for p in parts], sep)


def either(condition: Flags, yes: Text | str | None, no: Text | str | None) -> Text:
    """`yes` where the condition holds, else `no`; None stands for null."""
    return pc.if_else(pa.array(condition), _text_value(yes), _text_value(no))


def blank(values: Text, where: Flags) -> Text:
    """The texts with null where asked."""
    return either(where, None, values)


def flags(values: Flags, missing: Flags | None = None) -> Text:
    """Y or N; null where `missing`."""
    return pick(["N", "Y"], values.astype(np.int64), missing)


def _text_value(value: Text | str | None) -> Any:
    return value if isinstance(value, pa.Array | pa.ChunkedArray) else pa.scalar(value, type=pa.string())
