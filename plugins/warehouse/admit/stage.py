"""The admit stage: load a delivery's files, check its rows, admit the good ones.

Each function may be run again at any time and be killed at any moment. What it changes in the database is one transaction;
what it makes in the work area (the checkpoint) appears there whole or not at all, and is made again when it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from warehouse.admit import checkpoint, deliveries, drift
from warehouse.admit.admission import admit
from warehouse.admit.checks import import_ahead
from warehouse.admit.deliveries import ENDED, Delivery, Finding
from warehouse.admit.errors import AdmitFault, DeliveryRefused
from warehouse.admit.files import FilesRefused
from warehouse.admit.judging import judge
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract
from warehouse.database import clean_errors, connect, ops

__all__ = ["admit", "check", "load", "verdicts"]

Counts = dict[str, int]
Step = Callable[[Delivery, Contract, Connection[Any]], tuple[Counts, DeliveryRefused | None]]


def load(delivery_id: int) -> Counts:
    """File and record phase: the delivery's files read, typed and looked at row by row, into its checkpoint.

    Returns:
        Rows `received` and, of them, `malformed`; empty when the delivery has ended.

    Raises:
        DeliveryRefused: a file is missing, empty, of an implausible size, cut off, or not in the agreed encoding or columns.
        AdmitFault: the files could not be read although they are sound.
        DatabaseFault: the database refused.
    """
    return _run("load", delivery_id, _load)


def check(delivery_id: int) -> Counts:
    """The verdict on every rule of the contract, the suite and the thresholds, for every table of the delivery. Loads it first if need be.

    Returns:
        Number of `rules` judged and of `failures` (row and rule); empty when the delivery has ended.

    Raises:
        DeliveryRefused: a rule of severity refuse does not hold.
        AdmitFault: a rule could not be judged.
        DatabaseFault: the database refused.
    """
    if not _is_loaded(delivery_id):
        import_ahead()  # needed at the end; loading leaves a core for it
        load(delivery_id)
    return _run("check", delivery_id, _check)


def verdicts(delivery: Delivery, contract: Contract) -> list[Finding]:
    """What a check of the delivery finds, without recording it. Its checkpoint must be whole.

    Raises:
        AdmitFault: a rule could not be judged.
        DatabaseFault: the database refused.
    """
    return judge(delivery, contract)[0]


def _run(stage: str, delivery_id: int, step: Step) -> Counts:
    """Run a step of a delivery in one transaction, under the feed's lock; record the run and, if it comes to that, the refusal."""
    with clean_errors(f"{stage} delivery {delivery_id}"), connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
        connection.rollback()
        with ops.stage_run(delivery.night, stage, delivery.feed) as run:
            contract = load_contract(delivery.feed)
            delivery = deliveries.claim(delivery_id, connection)
            if delivery.status in ENDED:
                return {}
            counts, refusal = step(delivery, contract, connection)
            connection.commit()
            for name, count in counts.items():
                run.count(name, count)
            if refusal is not None:
                raise refusal
            return counts


def _load(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> tuple[Counts, DeliveryRefused | None]:
    deliveries.forget_findings(delivery, connection)
    try:
        facts = checkpoint.build(delivery, contract)
    except FilesRefused as refused:
        return {}, deliveries.refuse(delivery, refused.findings, connection)
    deliveries.record_loaded(delivery, {name: table.received for name, table in facts.tables.items()}, connection)
    deliveries.record_findings(delivery, facts.findings, connection)
    deliveries.set_status(delivery, "loaded", None, connection)
    return {"received": sum(t.received for t in facts.tables.values()), "malformed": sum(t.malformed for t in facts.tables.values())}, None


def _check(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> tuple[Counts, DeliveryRefused | None]:
    if not checkpoint.is_whole(delivery, contract):
        raise AdmitFault(f"The checkpoint of delivery {delivery.delivery_id} was removed while it was checked; run the step again")
    findings, profiles = judge(delivery, contract)
    for table, rows in profiles.items():
        drift.store(delivery, table, rows, connection)
    deliveries.record_contract(delivery, checkpoint.facts(delivery.delivery_id).contract_hash, connection)
    counts = {"rules": len(findings), "failures": sum(finding.failed_rows for finding in findings)}
    if any(finding.refuses for finding in findings):
        return counts, deliveries.refuse(delivery, findings, connection)
    deliveries.record_findings(delivery, findings, connection)
    deliveries.set_status(delivery, "checked", None, connection)
    return counts, None


def _is_loaded(delivery_id: int) -> bool:
    """Whether the delivery has been loaded and its checkpoint is whole, or nothing is left to do for it."""
    with clean_errors(f"look at delivery {delivery_id}"), connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
    if delivery.status in ENDED:
        return True
    return delivery.status in ("loaded", "checked") and checkpoint.is_whole(delivery, load_contract(delivery.feed))
