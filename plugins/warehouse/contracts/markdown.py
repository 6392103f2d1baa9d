"""The pieces that generated Markdown pages are made of."""

from __future__ import annotations

HEADER = "<!-- Generated from {origin}: do not edit; run `warehouse contracts build`. -->\n\n"


def as_table(headings: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; nothing when it has no rows."""
    if not rows:
        return ""
    lines = [headings, ["---"] * len(headings), *([oneline(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n\n"


def as_cell(text: str) -> str:
    """Text that stands inside a table cell: a bare bar would end the cell."""
    return text.replace("|", "\\|")


def oneline(text: object) -> str:
    """Text without line breaks and runs of spaces."""
    return " ".join(str(text).split())
