"""The parts a report is made of. Section builders return them; the template alone knows how they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A chart with its text alternative; the table with its figures follows it in the section."""

    svg: str
    alt: str
    caption: str
    kind: str = "figure"


@dataclass(frozen=True)
class Column:
    """A table column; numbers are set right."""

    name: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """A table of words and formatted numbers; `is_detail` tables are folded away, and printed when the reader opened them."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    is_detail: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Note:
    """A sentence or two; `is_warning` ones stand out."""

    text: str
    is_warning: bool = False
    kind: str = "note"


Block = Figure | Table | Note


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading and an address within the page."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Fact:
    """One of the figures at the head of the page."""

    name: str
    value: str
    remark: str = ""
    is_warning: bool = False


def columns(*names: str) -> list[Column]:
    """Columns from their names; those of numbers start with `#`."""
    return [Column(name.lstrip("#"), name.startswith("#")) for name in names]
