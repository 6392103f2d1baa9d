"""Clean deliveries of every feed, and what the warehouse made of a delivery.

A clean delivery holds what the synthetic generator writes for a small population, behind copies of the exemplars in which the
scenarios plant their faults.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.integration.deliveries import query
from tests.scenarios.planted import COPIES, Sheets, exemplars, header

from warehouse.admit import checkpoint, stage
from warehouse.admit.errors import DeliveryRefused
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Format
from warehouse.receive.stage import receive

NIGHTS = [date(2026, 11, day) for day in range(1, 9)]
NIGHT = NIGHTS[0]
PEOPLE, SEED = 400, 5
Files = dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery.

    Attributes:
        failed: rows that broke each rule, by table and rule, as recorded for the agency.
        broken: the rules that each row broke, by table and row number.
        quarantined: the same of the rows in quarantine.
        adds_up: whether in every table as many rows were received as were admitted, quarantined, unchanged or erased.
        messages: everything that was said about the delivery.
    """

    delivery_id: int
    feed: str
    status: str
    failed: dict[tuple[str, str], int]
    broken: dict[tuple[str, int], list[str]]
    quarantined: dict[tuple[str, int], list[str]]
    adds_up: bool
    messages: list[str]


def generate(folder: Path) -> None:
    """Write the extracts of the first, second and eighth night of a small population; the eighth is when weekly feeds come again."""
    from warehouse.synth.generate import generate

    generate(folder, PEOPLE, len(NIGHTS), SEED, first_night=NIGHT, only_nights=(0, 1, len(NIGHTS) - 1))


def nights_of(folder: Path, feed: str) -> list[date]:
    """The first two nights on which the feed is delivered."""
    return [night for night in NIGHTS if (folder / "inbox" / night.isoformat() / feed).is_dir()][:2]


def clean_sheets(folder: Path, feed: str, night: date, copies: int = COPIES) -> Sheets:
    """The rows of a clean delivery by table: so many copies of the exemplars, followed by the rows of the generator."""
    contract = load_contract(feed)
    sheets = exemplars(feed, copies)
    for table in contract.tables.values():
        (path,) = (folder / "inbox" / night.isoformat() / feed).glob(table.file)
        with path.open(encoding="utf-8", newline="") as stream:
            sheets[table.name] += list(csv.reader(stream, delimiter=contract.format.delimiter))[1:]
    return sheets


def as_files(feed: str, sheets: Sheets, night: date) -> Files:
    """The files of a delivery by name."""
    contract = load_contract(feed)
    return {
        contract.tables[name].file.replace("*", f"_{night:%Y%m%d}"): _as_bytes([header(contract.tables[name]), *rows], contract.format)
        for name, rows in sheets.items()
    }


def _as_bytes(rows: list[list[str]], form: Format) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=form.delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(form.encoding)


def deliver(inbox: Path, feed: str, files: Files, night: date, admit: bool = True) -> Outcome:
    """Put files into an inbox, take them through every stage, and tell what became of them.

    Args:
        admit: whether to go on after the checks.
    """
    folder = inbox / feed
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    delivery_id = receive(feed, inbox, night)
    assert delivery_id is not None
    said: list[str] = []
    if query("select status from ops.delivery where delivery_id = %s", delivery_id) == [("received",)]:
        try:
            stage.load(delivery_id)
            stage.check(delivery_id)
            if admit:
                stage.admit(delivery_id)
        except DeliveryRefused as refused:
            said.append(str(refused))
    return _outcome(delivery_id, feed, said)


def _outcome(delivery_id: int, feed: str, said: list[str]) -> Outcome:
    ((status, message),) = query("select status, message from ops.delivery where delivery_id = %s", delivery_id)
    checks = query("select table_name, rule, failed_rows, message from ops.check_result where delivery_id = %s and failed_rows > 0", delivery_id)
    refused = query("select table_name, row_number, rules from quarantine.refused_row where delivery_id = %s", delivery_id)
    tallies = query(
        "select rows_received = rows_admitted + rows_quarantined + rows_unchanged + rows_erased from ops.delivery_file where delivery_id = %s", delivery_id
    )
    return Outcome(
        delivery_id=delivery_id,
        feed=feed,
        status=status,
        failed={(table, rule): rows for table, rule, rows, _ in checks},
        broken=_broken(delivery_id),
        quarantined={(table, number): rules for table, number, rules in refused},
        adds_up=all(adds_up for (adds_up,) in tallies),
        messages=[text for text in [message, *said, *(text for *_, text in checks)] if text],
    )


def _broken(delivery_id: int) -> dict[tuple[str, int], list[str]]:
    """The rules that rows broke, out of the delivery's checkpoint."""
    import duckdb

    found: dict[tuple[str, int], list[str]] = {}
    for path in sorted(checkpoint.folder(delivery_id).glob("*.violations.parquet")):
        listed = duckdb.sql(f"select _row_number, rule from read_parquet('{path}') order by all").fetchall()
        for number, rule in listed:
            found.setdefault((path.name.split(".")[0], number), []).append(rule)
    return found


def only(table: str, sheets: Sheets, feed: str) -> Sheets:
    """One table of a delivery, where the feed may leave out the others; all of a snapshot. It saves the time of the others."""
    return sheets if load_contract(feed).delivery.kind == "snapshot" else {table: sheets[table]}


def identifiers(feed: str, sheets: Sheets) -> set[str]:
    """Values of the identifying columns of a delivery that are long enough to tell who somebody is."""
    tables = load_contract(feed).tables
    places = {name: [place for place, column in enumerate(tables[name].columns) if column.is_identifier] for name in sheets}
    return {row[place] for name, rows in sheets.items() for row in rows for place in places[name] if place < len(row) and len(row[place]) > 2}
