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


@app.command()
def train(
    inbox: Annotated[Path, typer.Option(exists=True, file_okay=False, help="A first delivery with one sub-folder per feed, as `warehouse generate` writes it")],
    night: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Date of that delivery")],
    population: Annotated[str, typer.Option(help="What the models are trained on, in words, for the model cards")],
    version: Annotated[int, typer.Option(min=1, help="Number of the new version")],
    seed: Annotated[int, typer.Option(help="The same seed and delivery give the same models")] = 1,
) -> None:
    """Train a new version of the linkage models, with their cards; a night only predicts with the version in policy.yaml."""
    from warehouse.link.train import train as train_models

    for path in train_models(inbox, night.date(), population, version, seed).values():
        typer.echo(path)
