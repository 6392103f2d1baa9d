"""`warehouse marts`: the marts as they stood on a past night, and the documentation of their lineage."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli_common import console, fail, usage_errors

app = typer.Typer(no_args_is_help=True, help="The marts: as they stood on a past night, and where their columns come from.")


@app.command("as-at")
def as_at(
    night: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="As after this night")],
    table: Annotated[str, typer.Option(help="A table of marts or published, such as rpt_indicators")],
    keep: Annotated[bool, typer.Option("--keep", help="Leave what was built in marts_past and published_past, for the transformer to query")] = False,
) -> None:
    """A mart as it stood after a past night, as CSV: built again from the history, without touching the live tables."""
    from warehouse.model.errors import ModelBuildFailed
    from warehouse.model.past import rows

    with usage_errors():
        try:
            for block in rows(night.date(), table, keep=keep):
                sys.stdout.buffer.write(block)
        except ModelBuildFailed as failure:
            raise fail(str(failure)) from None


@app.command()
def docs(
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="The file to write. Default: lineage.html in the folder of the reports")] = None,
) -> None:
    """Write dbt's documentation with its lineage graph as one file that opens without a network."""
    from warehouse.model.errors import ModelBuildFailed
    from warehouse.model.lineage import write

    try:
        console.print(f"Wrote {write(out)}", highlight=False)
    except ModelBuildFailed as failure:
        raise fail(str(failure)) from None
