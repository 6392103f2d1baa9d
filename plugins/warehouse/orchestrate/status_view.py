"""`warehouse status` on a terminal of 120 columns: what to do first, then the feeds, then the stages."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from warehouse.orchestrate.judgement import LEVELS
from warehouse.orchestrate.tables import table

Rows = list[dict[str, Any]]
COLOURS = {"wrong": "bold red", "late": "bold yellow", "look": "bold"}
FEED_COLUMNS = ("feed", "status", "delivery_id", "last_night", "coverage_end", "cadence", "due_on", "is_late")
ROW_COLUMNS = ("feed", "delivery_id", "rows_received", "rows_admitted", "rows_unchanged", "rows_quarantined", "rows_erased")
HEADINGS = {"last_night": "night", "coverage_end": "known to", "due_on": "next due", "is_late": "late"}
STAGE_COLUMNS = ("stage", "feed", "night", "status", "seconds", "error")


def show(found: dict[str, Rows], console: Console) -> None:
    """Print what `status.collect` found."""
    _show_live(found, console)
    _show_problems(found["problems"], console)
    if found["feeds"]:
        console.print(table(FEED_COLUMNS, found["feeds"], title="Feeds and their newest deliveries", headings=HEADINGS))
        console.print()
    counted = [row for row in found["feeds"] if row["rows_received"] is not None]
    if counted:
        console.print(table(ROW_COLUMNS, counted, title="Rows of the newest deliveries"))
        console.print()
    if found["stages"]:
        console.print(table(STAGE_COLUMNS, found["stages"], title="Stages, last run of each"))


def _show_live(found: dict[str, Rows], console: Console) -> None:
    night = found["night"][0]
    if found["live"]:
        live = found["live"][0]
        console.print(f"Live: the night of [bold]{live['night']}[/], published {live['published_at']:%Y-%m-%d %H:%M} UTC, slot {live['slot']}", highlight=False)
    else:
        console.print("Nothing has been published yet.")
    console.print(f"Last night that ran: {night['last_run'] or 'none'}. Lateness is judged as at {night['as_of']}.", highlight=False)
    console.print()


def _show_problems(problems: Rows, console: Console) -> None:
    if not problems:
        console.print("[green]Nothing is wrong, and no agency is late.[/]\n")
        return
    counts = ", ".join(f"{sum(p['level'] == level for p in problems)} {level}" for level in LEVELS if any(p["level"] == level for p in problems))
    console.print(f"[bold]What to do[/] ({counts})", highlight=False)
    for problem in problems:
        console.print(Text.assemble((f"{problem['level']:6}", COLOURS[problem["level"]]), (problem["about"], "bold")))
        for line in (problem["what"], f"do:  {problem['do']}", f"see: {problem['page']}"):
            console.print(Padding(Text(line), (0, 0, 0, 6), expand=False))
    console.print()
