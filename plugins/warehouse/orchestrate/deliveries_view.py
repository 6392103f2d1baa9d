"""Deliveries on a terminal of 120 columns."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from warehouse.orchestrate.deliveries import Whole
from warehouse.orchestrate.tables import cell, table

FACTS = ("feed", "night", "status", "message", "received_at", "finished_at", "coverage_end", "superseded_by")
LIST_COLUMNS = (
    "delivery_id", "feed", "night", "status", "rows_received", "rows_admitted", "rows_unchanged", "rows_quarantined", "rows_erased", "received_at",
)  # fmt: skip
FILE_COLUMNS = (
    "table_name", "file_name", "bytes", "rows_received", "rows_admitted", "rows_unchanged", "rows_quarantined", "rows_erased", "redacted_at",
)  # fmt: skip
CHECK_COLUMNS = ("table_name", "rule", "severity", "failed_rows", "checked_rows", "message")


def show_list(rows: list[dict[str, Any]], console: Console) -> None:
    """Print deliveries, one a line; below them what the messages of those that were not admitted say."""
    if not rows:
        console.print("No delivery fits.")
        return
    console.print(table(LIST_COLUMNS, rows, headings={"delivery_id": "id"}))
    for row in rows:
        if row["message"] and row["status"] != "duplicate":
            console.print(Text(f"{row['delivery_id']}: {row['message']}"))
    console.print("`warehouse delivery ID` shows one whole.", style="dim")


def show_whole(whole: Whole, console: Console) -> None:
    """Print one delivery: facts, files, the checks that failed, where things lie, and what to do next."""
    delivery = whole.delivery
    console.print(f"[bold]Delivery {delivery['delivery_id']}[/]", highlight=False)
    for fact in FACTS:
        if delivery[fact] is not None:
            console.print(f"{fact.replace('_', ' '):14} {escape(cell(fact, delivery[fact]))}", highlight=False)
    console.print(f"{'landed copy':14} {whole.landed or 'gone'}", highlight=False, soft_wrap=True)
    console.print(f"{'answer':14} {whole.answer or 'not written'}", highlight=False, soft_wrap=True)
    console.print()
    if whole.files:
        console.print(table(FILE_COLUMNS, whole.files, title="Files", headings={"redacted_at": "redacted"}))
        console.print()
    if whole.checks:
        console.print(table(CHECK_COLUMNS, whole.checks, title="Checks that failed", headings={"failed_rows": "rows", "checked_rows": "of"}))
        console.print()
    console.print("[bold]What to do[/]")
    for step in whole.next_steps:
        console.print(Padding(Text(step), (0, 0, 0, 2), expand=False))
