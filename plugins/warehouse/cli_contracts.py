"""`warehouse contracts`: the feeds' contracts and what is generated from them."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="The feeds' contracts and the files generated from them.")


@app.command()
def build() -> None:
    """Write the data dictionary, the dbt sources and the expectation suites from the contracts."""
    from warehouse.contracts.generate import write_all
    from warehouse.contracts.load import ContractError
    from warehouse.settings import settings

    try:
        for path in write_all(settings().project_root):
            typer.echo(path)
    except ContractError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@app.command()
def check() -> None:
    """Fail when a generated file differs from what its contract gives, or a contract has a fault."""
    from warehouse.contracts.generate import drift
    from warehouse.contracts.load import ContractError
    from warehouse.settings import settings

    try:
        stale = drift(settings().project_root)
    except ContractError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for path in stale:
        typer.echo(f"{path} is not what its contract gives: run `make docs` and commit it", err=True)
    raise typer.Exit(1 if stale else 0)
