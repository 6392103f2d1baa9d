"""Helpers of the admit tests: deliver files, run the stages, and read back what became of the rows."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.admit import checkpoint, deliveries, stage
from warehouse.contracts.load import load_contract
from warehouse.database import connect
from warehouse.receive.stage import receive

GOLDEN = Path(__file__).parents[1] / "golden"
NIGHTS = {"night_1": date(2026, 11, 1), "night_2": date(2026, 11, 2), "night_3": date(2026, 11, 3)}
Row = dict[str, str]


def query(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of a query as the administrator, who may see every zone."""
    with connect("admin") as connection:
        return connection.execute(statement, list(parameters)).fetchall()


def deliver(feed: str, inbox: Path, night: str) -> int:
    """Receive what lies in the inbox and take it through every step; returns the delivery's id."""
    delivery_id = receive(feed, inbox, NIGHTS[night])
    assert delivery_id is not None
    stage.load(delivery_id)
    stage.check(delivery_id)
    stage.admit(delivery_id)
    return delivery_id


def pass_checks(delivery_id: int) -> None:
    """Load the delivery and take it for checked: where the verdicts of Great Expectations are not the matter, they take long."""
    stage.load(delivery_id)
    with connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
        deliveries.record_contract(delivery, checkpoint.facts(delivery_id).contract_hash, connection)
        deliveries.set_status(delivery, "checked", None, connection)


def golden_inbox(tmp_path: Path, feed: str, night: str) -> Path:
    """An inbox that holds the golden files of a feed and night."""
    inbox = tmp_path / night
    shutil.copytree(GOLDEN / feed / night, inbox / feed)
    return inbox


def golden_rows(feed: str, table: str, night: str = "night_1") -> list[Row]:
    """The rows of a golden file by column name."""
    contract = load_contract(feed)
    (path,) = (GOLDEN / feed / night).glob(contract.tables[table].file)
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=contract.format.delimiter))


def write_inbox(inbox: Path, feed: str, tables: dict[str, list[Row]]) -> Path:
    """Write files of a feed into an inbox, one per table, named after the inbox; columns that a row leaves out hold the feed's null token."""
    contract = load_contract(feed)
    folder = inbox / feed
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        columns = [c.name for c in contract.tables[name].columns]
        with (folder / contract.tables[name].file.replace("*", f"_{inbox.name}")).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, restval=contract.format.null_tokens[0], delimiter=contract.format.delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return inbox


def zone_contents(feed: str) -> dict[str, list[Any]]:
    """Everything the feed has in the vault, source zone and quarantine, comparable between runs."""
    contents: dict[str, list[Any]] = {}
    for table in load_contract(feed).tables.values():
        for zone in ("source", "vault"):
            if query("select to_regclass(%s)", f"{zone}.{table.relation}") != [(None,)]:
                contents[f"{zone}.{table.name}"] = query(f"select to_jsonb(t)::text from {zone}.{table.relation} as t order by 1")
    contents["quarantine"] = query(
        "select delivery_id, table_name, row_number, rules, raw::text from quarantine.refused_row where feed = %s order by 1, 2, 3", feed
    )
    contents["deliveries"] = query(
        "select delivery_id, night, status, table_name, rows_received, rows_admitted, rows_quarantined, rows_unchanged"
        " from ops.delivery join ops.delivery_file using (delivery_id) where feed = %s order by delivery_id, table_name",
        feed,
    )
    contents["checks"] = query(
        "select delivery_id, table_name, rule, checked_rows, failed_rows from ops.check_result join ops.delivery using (delivery_id)"
        " where feed = %s order by 1, 2, 3",
        feed,
    )
    return contents
