"""Apply one checked delivery to the feed's tables as of its night, inside the caller's transaction.

The caller has seen to it that no later night is there (`history`) and that the delivery's checkpoint is whole.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from warehouse.admit import checkpoint, consent, deliveries
from warehouse.admit.decision import decide
from warehouse.admit.deliveries import Delivery, Tally
from warehouse.admit.difference import TableWork
from warehouse.admit.duck import duckdb_session
from warehouse.admit.errors import AdmitFault
from warehouse.admit.transfer import has_rows
from warehouse.admit.versions import changed_events, list_changed_events, write_quarantine, write_source, write_vault
from warehouse.contracts import ddl
from warehouse.contracts.model import Contract


def apply_delivery(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> dict[str, Tally]:
    """Write the delivery's rows to source zone, vault and quarantine, and note what became of them; returns the tallies by table.

    Raises:
        AdmitFault: the rows do not add up.
        psycopg.Error: the database refused.
    """
    ddl.apply(contract, connection)
    # Some thousand keys among millions are found fastest by index; Postgres thinks so only if told that pages cost the same anywhere.
    connection.execute("set local random_page_cost = 1.1")
    redacted = deliveries.redacted_rows(delivery, connection)
    facts = checkpoint.facts(delivery.delivery_id)
    tallies = {}
    for name, of_table in facts.tables.items():
        if of_table.received == 0 and contract.delivery.kind != "snapshot":  # a file of changes or events without rows says nothing
            tallies[name] = Tally(redacted.get(name, 0), 0, 0, 0, redacted.get(name, 0), 0)
            continue
        with duckdb_session(checkpoint.folder(delivery.delivery_id) / "spill", f"admit {name}") as session:
            work = TableWork(delivery, contract, contract.tables[name], session, connection)
            tallies[name] = _apply_table(work, of_table.received, of_table.malformed, redacted.get(name, 0))
    consent.follow(delivery, contract, connection)
    deliveries.record_admitted(delivery, tallies, connection)
    deliveries.set_status(delivery, "admitted", None, connection)
    return tallies


def _apply_table(work: TableWork, received: int, malformed: int, redacted: int) -> Tally:
    """Write one table.

    Args:
        redacted: rows taken out of the landed copy since it came, because their records were erased.
    """
    is_first = not has_rows(work.connection, work.source)
    decided = decide(work)
    refused = write_quarantine(work, decided)
    write_source(work, decided)
    if work.grain is not None:
        write_vault(work)
    if not is_first:
        consent.note(work)
    if work.kind == "events":
        list_changed_events(work)
        deliveries.record_findings(work.delivery, [changed_events(work, decided, received - malformed)], work.connection)
    tally = Tally(
        received=received + redacted,
        admitted=decided["written"] + decided["identified"] + decided["deleted"],
        quarantined=decided["quarantined"] + decided["changed"] + malformed,
        unchanged=decided["unchanged"] + decided["repeated"],
        erased=decided["erased"] + redacted,
        closed=decided["gone"],
    )
    if tally.admitted + tally.quarantined + tally.unchanged + tally.erased != tally.received or refused != tally.quarantined:
        raise AdmitFault(
            f"{work.table.relation}: of {tally.received} rows received, {tally.admitted} admitted, {tally.quarantined} quarantined ({refused} kept), "
            f"{tally.unchanged} unchanged and {tally.erased} erased do not make the whole; nothing of the delivery is admitted"
        )
    return tally
