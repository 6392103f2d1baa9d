"""Rows as tables on a terminal: counts right-aligned with thousands separators, ids plain, nothing for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

IDS = ("delivery_id", "superseded_by", "erasure_id")
COUNTS = ("seconds", "bytes", "removed", "keys")
# Columns of words, which give way where the terminal is narrow.
WORDS = ("message", "error", "reason", "file_name")
HEADINGS = {"delivery_id": "delivery", "erasure_id": "erasure", "table_name": "table", "file_name": "file", "column_name": "column"}


def table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, title: str | None = None, headings: Mapping[str, str] | None = None) -> Table:
    """A table of rows given by column name.

    Args:
        columns: which columns, in order; `rows_` in front of a count's name is left out of its heading.
        headings: headings that differ from the column's name.
    """
    drawn = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    named = HEADINGS | dict(headings or {})
    for column in columns:
        is_number = column.startswith("rows_") or column.endswith("_rows") or column in (*COUNTS, *IDS)
        heading = named.get(column, column.removeprefix("rows_").removesuffix("_rows").replace("_", " "))
        drawn.add_column(heading, justify="right" if is_number else "left", no_wrap=column not in WORDS)
    for row in rows:
        # Messages hold rule names in square brackets, which are no markup: text, not strings.
        drawn.add_row(*(Text(cell(column, row[column])) for column in columns))
    return drawn


def cell(column: str, value: Any) -> str:
    """A value as the tables show it."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, (int, Decimal)) and column not in IDS else str(value)
