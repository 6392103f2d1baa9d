"""`warehouse deliveries` and the commands on one delivery: look, do again, withdraw, release what was quarantined, answer."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated

import typer

from warehouse.cli_common import AsJson, console, operator, usage_errors

PANEL = "Deliveries"
app = typer.Typer()
DeliveryId = Annotated[int, typer.Argument(metavar="ID", help="The delivery's number, as `warehouse deliveries` shows it")]
FOLLOWS = "Links and marts follow with the next night, or when you clear the `link` run of the last one in Airflow."


@app.command(rich_help_panel=PANEL)
def deliveries(
    feed: Annotated[str | None, typer.Option(help="Of this feed alone")] = None,
    status: Annotated[str | None, typer.Option(help="received, loaded, checked, admitted, duplicate, refused, superseded or rejected")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first")] = 20,
    as_json: AsJson = False,
) -> None:
    """What came and what became of it: one line for each delivery, newest first."""
    from warehouse.contracts.load import load_contract
    from warehouse.orchestrate.console import wide_console
    from warehouse.orchestrate.deliveries import listed
    from warehouse.orchestrate.deliveries_view import show_list

    with usage_errors():
        if feed is not None:
            load_contract(feed)
        rows = listed(feed, status, limit)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, default=str))
    else:
        show_list(rows, wide_console())


@app.command(rich_help_panel=PANEL)
def delivery(delivery_id: DeliveryId, as_json: AsJson = False) -> None:
    """One delivery whole: its files, the checks that failed, where its answer lies, and what to do next."""
    from warehouse.orchestrate.console import wide_console
    from warehouse.orchestrate.deliveries import whole
    from warehouse.orchestrate.deliveries_view import show_whole

    with usage_errors():
        found = whole(delivery_id)
    if as_json:
        parts = {"files": found.files, "failed_checks": found.checks, "landed": found.landed, "answer": found.answer, "next_steps": found.next_steps}
        typer.echo(json.dumps(found.delivery | parts, indent=2, default=str))
    else:
        show_whole(found, wide_console())


@app.command(rich_help_panel=PANEL)
def redo(delivery_id: DeliveryId) -> None:
    """Take a delivery in again from its landed copy under today's contract: after a mended contract, or a withdrawal by mistake.

    Later nights of the feed are applied again on top of it, so history reads as if it had come so from the start.
    """
    from warehouse.admit import withdraw

    with usage_errors():
        _tell(withdraw.redo(delivery_id))
    _answer(delivery_id)
    console.print(FOLLOWS)


@app.command(rich_help_panel=PANEL)
def reject(
    delivery_id: DeliveryId,
    reason: Annotated[str, typer.Option(help="Why, for the record and for the agency; no person's value")],
) -> None:
    """Withdraw an admitted delivery, as if it had never come; what an earlier delivery of the same night brought does not come back by itself."""
    from warehouse.admit import withdraw

    with usage_errors():
        _tell(withdraw.reject(delivery_id, reason, operator()))
    console.print(FOLLOWS)


@app.command(rich_help_panel=PANEL)
def release(delivery_id: DeliveryId) -> None:
    """Let quarantined rows of a delivery in that pass today's contract: after a new code or a mended rule was committed."""
    from warehouse.admit import withdraw

    with usage_errors():
        _tell(withdraw.release(delivery_id))
    _answer(delivery_id)
    console.print(FOLLOWS)


@app.command(rich_help_panel=PANEL)
def answer(delivery_id: DeliveryId) -> None:
    """Write the answer to the agency again (CSV and HTML) and print the folder. It holds the agency's own ids: send it to that agency alone."""
    _answer(delivery_id)


@app.command(name="as-at", rich_help_panel=PANEL)
def as_at(
    feed: Annotated[str, typer.Option(help="Which feed")],
    night: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="As after the deliveries of this night")],
    table: Annotated[str | None, typer.Option(help="Write the rows of this table as CSV: keys and attributes, no identifiers")] = None,
    as_json: AsJson = False,
) -> None:
    """A feed as it stood after a past night: rows of each table and the delivery in use, or the rows of one table."""
    from warehouse.orchestrate.as_at import rows, summary
    from warehouse.orchestrate.console import wide_console
    from warehouse.orchestrate.tables import table as drawn

    with usage_errors():
        if table is not None:
            for block in rows(feed, table, night.date()):
                sys.stdout.buffer.write(block)
            return
        found = summary(feed, night.date())
    if as_json:
        typer.echo(json.dumps(found, indent=2, default=str))
    else:
        headings = {"delivery_id": "newest delivery", "last_night": "of the night", "coverage_end": "events known to"}
        wide_console().print(drawn(tuple(found[0]), found, headings=headings))


def _answer(delivery_id: int) -> None:
    from warehouse.admit.answer.stage import write

    with usage_errors():
        typer.echo(write(delivery_id))


def _tell(counts: dict[str, int]) -> None:
    """Print counts of rows, and of the later nights that were applied again."""
    for name, count in counts.items():
        told = "nights replayed" if name == "replayed" else f"rows {name.replace('_', ' ')}"
        console.print(f"{told:20} {count:>12,}", highlight=False)
