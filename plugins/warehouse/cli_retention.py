"""`warehouse retention`: remove what is past keeping, or show what would go."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from warehouse.cli_common import AsJson, Night, console, today
from warehouse.cli_erasure import PANEL

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; remove nothing")] = False,
    night: Night = None,
    as_json: AsJson = False,
) -> None:
    """Remove what is past keeping from every zone, by expectations/retention.yaml; the retention DAG does so every week."""
    from warehouse.orchestrate.console import wide_console
    from warehouse.orchestrate.tables import table
    from warehouse.retention.stage import run

    found = [asdict(removal) for removal in run(night.date() if night else today(), dry_run=dry_run)]
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str))
        return
    headings = {"older": "kept from", "removed": "would go" if dry_run else "removed"}
    wide_console().print(table(("zone", "days", "older", "removed", "reason"), found, headings=headings))
    if dry_run:
        console.print("Nothing was removed. `warehouse retention` removes it.")
