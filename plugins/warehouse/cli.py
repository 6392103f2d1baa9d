"""The `warehouse` command: the front door for people and schedulers.

Exit codes: 0 done; 1 it failed; 2 the command line is wrong, or names what does not exist; 3 the night was published, but a
delivery was refused or failed.
Stages are imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from warehouse import cli_contracts, cli_deliveries, cli_erasure, cli_linkage, cli_marts, cli_products, cli_retention, cli_tokenise
from warehouse.cli_common import EXIT_USAGE, Night, console, fail, today

# A scheduler ends commands by SIGTERM: leave through the finally clauses, so that no service is left running.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Run and ask the recovery outcomes warehouse.")
app.add_typer(cli_contracts.app, name="contracts")
app.add_typer(cli_linkage.app, name="linkage")
app.add_typer(cli_marts.app, name="marts")
app.add_typer(cli_products.app, name="products")
app.add_typer(cli_deliveries.app)
app.add_typer(cli_erasure.app)
app.add_typer(cli_retention.app)
app.add_typer(cli_tokenise.app)


@app.command()
def init() -> None:
    """Start the embedded server unless WAREHOUSE_URL names another, and create zones, roles and feed tables."""
    from warehouse.database.setup import prepare

    prepare()
    console.print("The warehouse is ready.")


@app.command()
def stop() -> None:
    """Stop the embedded server; its data stay."""
    from warehouse.database import server

    server.stop()


@app.command()
def clean(yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False) -> None:
    """Stop the embedded server and delete everything under the warehouse's home: database, landed files, reports, Airflow."""
    from warehouse.database import server
    from warehouse.settings import settings

    if not yes:
        typer.confirm(f"Delete {settings().home} and the embedded database?", abort=True)
    server.remove()
    shutil.rmtree(settings().home, ignore_errors=True)


@app.command()
def generate(
    out: Annotated[Path, typer.Option(help="Folder to write: inbox/<night>/<feed>/ and truth/")],
    people: Annotated[int, typer.Option(min=1, help="People in the population")] = 20_000,
    nights: Annotated[int, typer.Option(min=1, help="Nights to write; the first holds six years of history")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files")] = 1,
    density: Annotated[float, typer.Option(min=0.01, help="Squeeze birth years: this many times the people per day of birth")] = 1.0,
    faults: Annotated[bool, typer.Option("--faults", help="Plant bad rows and files, listed in truth/planted_faults.csv")] = False,
    first_night: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Date of the first night")] = datetime(2026, 11, 1),  # noqa: DTZ001 - a calendar date
) -> None:
    """Write what four agencies would deliver about a synthetic population, night by night, and the truth behind it."""
    from rich.progress import Progress

    from warehouse.synth.generate import generate as write

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Making people and their records", total=people)
        try:
            written = write(out, people, nights, seed, density, faults, first_night.date(), progress=lambda done, _: bar.update(task, completed=done))
        except ValueError as error:
            raise fail(str(error), EXIT_USAGE) from None
    for name, rows in written.items():
        console.print(f"{name:40} {rows:>12,} rows", highlight=False)


@app.command()
def run(
    inbox: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with one sub-folder per feed")],
    night: Night = None,
) -> None:
    """Run one night on whatever lies in a folder, all five stages, through Airflow."""
    from warehouse.orchestrate.console import run_and_show

    raise typer.Exit(run_and_show(inbox.resolve(), night.date() if night else today(), console))


@app.command()
def demo(people: Annotated[int, typer.Option(min=100, help="People in the population")] = 20_000) -> None:
    """Make the next night of a synthetic population and run it: the first call loads six years of history, each later call one night more."""
    from warehouse.orchestrate.demo import run_next_night

    raise typer.Exit(run_next_night(people, console))


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable, with row count and content hash of every mart")] = False,
    as_of: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Judge lateness as at this night. Default: the last that ran")] = None,
) -> None:
    """What came, what is late, what is wrong and what to do about it; what ran, what is live, and how fresh each feed is."""
    from warehouse.database.server import ServerError
    from warehouse.orchestrate.console import wide_console
    from warehouse.orchestrate.status import collect
    from warehouse.orchestrate.status_view import show

    try:
        found = collect(as_of.date() if as_of else None)
    except ServerError as error:
        raise fail(str(error)) from None
    if as_json:
        from warehouse.publish.fingerprint import fingerprints

        marts = [{"table": table, "rows": rows, "hash": content} for table, (rows, content) in sorted(fingerprints().items())]
        typer.echo(json.dumps(found | {"marts": marts}, indent=2, default=str))
    else:
        show(found, wide_console())


@app.command()
def report(night: Night = None) -> None:
    """Write the nightly report again from what the warehouse holds; print where it is."""
    from warehouse.orchestrate.status import live_night
    from warehouse.publish.report.stage import write

    wanted = night.date() if night else live_night()
    if wanted is None:
        raise fail("Nothing has been published yet, so there is no report to write")
    typer.echo(write(wanted))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One select statement")],
    role: Annotated[str, typer.Option("--as", help="analyst, bi, engineer, steward, linker, transformer, loader or admin")] = "analyst",
) -> None:
    """Run a query with a role's own login; CSV with a header on standard output."""
    import psycopg

    from warehouse.database import DatabaseFault, connect
    from warehouse.database.errors import describe
    from warehouse.database.server import ServerError

    try:
        with connect(role) as connection, connection.cursor().copy(f"copy ({query.strip().rstrip(';')}) to stdout with (format csv, header)") as rows:
            for block in rows:
                sys.stdout.buffer.write(block)
    except psycopg.Error as error:
        raise fail(describe(error)) from None
    except (DatabaseFault, ServerError) as error:
        raise fail(str(error)) from None
    except ValueError as error:
        raise fail(str(error), EXIT_USAGE) from None


@app.command()
def airflow() -> None:
    """Run Airflow's services with their user interface until interrupted."""
    from warehouse.database.setup import prepare
    from warehouse.orchestrate.console import serve_airflow

    prepare()
    serve_airflow(console)


def main() -> None:
    """Run the command; a failure the warehouse itself describes ends with its message rather than with a traceback."""
    try:
        app(prog_name="warehouse")
    except Exception as error:
        if not type(error).__module__.startswith("warehouse."):
            raise
        sys.exit(fail(str(error)).exit_code)
