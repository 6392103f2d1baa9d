"""`warehouse products`: what commissioners and evaluators decide with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli_common import console, usage_errors

app = typer.Typer(no_args_is_help=True, help="Products for commissioners and evaluators: docs/products.")


@app.callback()
def products() -> None:
    """Keep `charts` a command of its own."""


@app.command()
def charts(
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder to write to")] = Path("docs/products/images"),
) -> None:
    """Write the charts of the products' pages from the live warehouse, one SVG file each."""
    from warehouse.publish.report.product_images import write_images

    with usage_errors():
        written = write_images(out)
    console.print(f"Wrote {len(written)} charts to {out}", highlight=False)
