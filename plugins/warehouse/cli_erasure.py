"""`warehouse erase` and `warehouse erasures`: remove people's data of one feed from every zone, and the record that it was done."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.cli_common import EXIT_USAGE, AsJson, console, fail, operator, today, usage_errors

if TYPE_CHECKING:
    from warehouse.contracts.model import Contract

PANEL = "Erasure and retention"
app = typer.Typer()


class Reason(StrEnum):
    """Why a person's data are erased."""

    request = "erasure request"
    consent = "consent withdrawn"


@app.command(rich_help_panel=PANEL)
def erase(
    feed: Annotated[str, typer.Option(help="The agency's feed")],
    records: Annotated[Path, typer.Option(help="CSV file: a header, then one record a line by the agency's ids; - for standard input")],
    reason: Annotated[Reason, typer.Option(help="For the record")] = Reason.request,
    requested_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When the person or the agency asked. Default: today")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Erase records of one feed from landed files, quarantine, vault, source and answers; the next night's links and marts follow.

    Says how many of the records are known and asks before anything is removed. Ids are read from a file and never from the
    command line, where other users of the machine could see them. The same records coming again are turned away until the
    erasure is lifted.
    """
    from warehouse.admit import erasure
    from warehouse.contracts.load import load_contract

    with usage_errors():
        contract = load_contract(feed)
        if str(records) == "-" and not yes:
            raise fail("Records from standard input need --yes: there is nobody to ask", EXIT_USAGE)
        found = read_records(_lines(records), contract)
        known = erasure.known(feed, found)
        console.print(f"{len(found):,} records in the file, {known:,} of them known to the feed {feed}.", highlight=False)
        if not yes:
            typer.confirm("Erase them? This cannot be undone", abort=True)
        numbers = erasure.request(feed, found, reason.value, requested_on.date() if requested_on else today(), operator())
    console.print(f"{len(numbers):,} records erased; `warehouse erasures --feed {feed}` shows what was removed from where.", highlight=False)


@app.command(rich_help_panel=PANEL)
def erasures(
    feed: Annotated[str | None, typer.Option(help="Of this feed alone")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first")] = 20,
    finish: Annotated[bool, typer.Option("--finish", help="Take up erasures that were interrupted, first")] = False,
    lift: Annotated[int | None, typer.Option(metavar="ID", help="Lift this erasure: the agency may send the record again")] = None,
    as_json: AsJson = False,
) -> None:
    """Which records were erased, why, when, and how many rows left each zone; keys only, no person's value."""
    from warehouse.admit import erasure
    from warehouse.orchestrate.console import wide_console
    from warehouse.orchestrate.erasures import listed, show

    if finish:
        console.print(f"{erasure.finish_pending():,} erasures finished.", highlight=False)
    if lift is not None:
        with usage_errors():
            erasure.lift(lift, operator())
        console.print(f"Erasure {lift} is lifted: rows of the record are admitted again when they come.", highlight=False)
    rows = listed(feed, limit)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, default=str))
    else:
        show(rows, wide_console())


def _lines(path: Path) -> list[str]:
    try:
        return sys.stdin.readlines() if str(path) == "-" else path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except OSError as error:
        raise fail(f"{path} cannot be read: {error.strerror}", EXIT_USAGE) from None
    except UnicodeDecodeError:
        raise fail(f"{path} is not text in UTF-8", EXIT_USAGE) from None


def read_records(lines: Iterable[str], contract: Contract) -> list[dict[str, str]]:
    """The records in a CSV text, by the columns that one of the feed's record keys is made of; other columns are left out.

    Raises:
        ValueError: the header names no record key of the feed, or a line has no id; the message holds no id.
    """
    reader = csv.DictReader(lines)
    header = set(reader.fieldnames or [])
    kinds = list(dict.fromkeys(tuple(table.keys["record_key"]) for table in contract.tables.values() if "record_key" in table.keys))
    kind = next((columns for columns in kinds if set(columns) <= header), None)
    if kind is None:
        wanted = " or ".join(",".join(columns) for columns in kinds)
        raise ValueError(f"The first line must name the columns of a record of {contract.feed}: {wanted}")
    found = [{column: (row[column] or "").strip() for column in kind} for row in reader]
    incomplete = [number for number, record in enumerate(found, start=2) if not all(record.values())]
    if incomplete:
        raise ValueError(f"Line {incomplete[0]} has no value for one of {', '.join(kind)}; nothing was erased")
    if not found:
        raise ValueError("The file holds no record")
    return found
