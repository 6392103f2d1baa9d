"""`python -m warehouse.synth`: write a synthetic population's extracts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from warehouse.synth.generate import FIRST_NIGHT, generate

app = typer.Typer(add_completion=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Folder to write to: inbox/ and truth/")],
    people: Annotated[int, typer.Option(help="Adults in the population")] = 20_000,
    nights: Annotated[int, typer.Option(help="Nights in all; the first holds six years of history")] = 1,
    seed: Annotated[int, typer.Option(help="Same seed, same files")] = 1,
    density: Annotated[float, typer.Option(help="How many times the people per day of birth are raised")] = 1.0,
    faults: Annotated[bool, typer.Option("--faults", help="Plant bad rows and list them in truth/planted_faults.csv")] = False,
    first_night: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Date of the first night")] = datetime.combine(FIRST_NIGHT, datetime.min.time()),
    only_night: Annotated[list[int] | None, typer.Option(help="Write only this night, numbered from 0; may be repeated")] = None,
) -> None:
    """Write what four agencies would deliver about a synthetic population, and the truth beside it."""
    counts = generate(out, people, nights, seed, density, faults, first_night.date(), None, only_night)
    for table, rows in counts.items():
        typer.echo(f"{table}\t{rows}")


if __name__ == "__main__":
    app()
