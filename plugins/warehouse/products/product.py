"""What a product is: the frames it reads, the tables it writes, and the function between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class EstimateTable:
    """A table of estimates: its columns with their Postgres types, in order. Aggregates only: no row is about one person."""

    name: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Product:
    """One question that a model answers each night.

    `reads` names each frame with the SQL that fills it: `{marts}`, `{intermediate}` and `{reference}` stand for the schemas of the
    build, `:night` for the night. Frames grow with areas and periods, or are one row a person of a cohort, never a row for each record.
    `estimate` is pure: the same frames give the same tables, whatever their rows' order; a frame for each of `tables`,
    empty where there is nothing to estimate from.
    """

    name: str
    reads: Mapping[str, str]
    tables: tuple[EstimateTable, ...]
    estimate: Callable[[Frames, date], Frames]
