"""`warehouse linkage`: evaluate and train the linkage."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Evaluate and train the linkage.")


@app.command()
def evaluate(
    truth: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The truth folder that `warehouse generate` wrote")],
    night: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the night that is live")] = None,
) -> None:
    """Precision and recall of a night's links against the truth, beside the initials + birth date + sex + district baseline."""
    from warehouse.link.evaluate import evaluate as measure
    from warehouse.orchestrate.status import live_night

    wanted = night.date() if night else live_night()
    if wanted is None:
        typer.echo("Nothing has been published yet, so there is nothing to evaluate", err=True)
        raise typer.Exit(1)
    for name, value in measure(wanted, truth).items():
        typer.echo(f"{name},{value:.4f}")
