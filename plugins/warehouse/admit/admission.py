"""The last step of the admit stage: good rows into vault and source zone with history, refused rows into quarantine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from psycopg import Connection

from warehouse.admit import checkpoint, deliveries, erasure, history
from warehouse.admit.deliveries import Delivery, Tally
from warehouse.admit.errors import AdmitFault
from warehouse.admit.history import Checked
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract
from warehouse.database import clean_errors, connect, ops

Counts = dict[str, int]
Rechecked = dict[int, Checked]
# A plan changes only when another run admits a later night in between, a checked delivery only when another run loads it again; more
# often than this is no coincidence.
ATTEMPTS = 5


class LoadedAgain(Exception):
    """Another run loaded the delivery again after it was checked: what the check found is gone."""


def admit(delivery_id: int) -> Counts:
    """Put a delivery in its place in the feed's history: all of it, or nothing.

    A delivery of a night that has one takes its place, unless it came before that one. Nights after it are replayed.

    Returns:
        Rows `received`, `admitted`, `quarantined`, `unchanged` and `erased`, versions `closed` because a snapshot no longer
        holds them, and nights `replayed`; empty when nothing is left to do for the delivery.

    Raises:
        DeliveryRefused: a rule refuses it, or a later night cannot be replayed after it.
        AdmitFault: the rows do not add up.
        DatabaseFault: the database refused.
    """
    delivery, contract = _made_checkable(delivery_id)
    with ops.stage_run(delivery.night, "admit", delivery.feed) as run:
        counts = _admit_checked(delivery, contract)
        erasure.finish_pending(delivery.feed)
        for name, count in counts.items():
            run.count(name, count)
    return counts


def in_history(delivery: Delivery, contract: Contract, change: Callable[[Delivery, Contract, Rechecked, Connection[Any]], Counts]) -> Counts:
    """Change the feed's history in one transaction under its lock, with the checkpoints of all nights to be replayed at hand.

    Args:
        change: given the delivery as it stands under the lock.
    """
    with clean_errors(f"change the history of {delivery.feed}"), connect("loader") as connection:
        for _ in range(ATTEMPTS):
            checked = history.make_ready(delivery, contract, connection)
            try:
                with connection.transaction():
                    return change(deliveries.claim(delivery.delivery_id, connection), contract, checked, connection)
            except history.PlanChanged:
                continue
    raise AdmitFault(f"Other runs keep changing the history of {delivery.feed} while delivery {delivery.delivery_id} waits; run the step again")


def insert(delivery: Delivery, contract: Contract, checked: Rechecked, connection: Connection[Any]) -> Counts:
    """Put the delivery in its place and replay the nights after it; what became of its rows, and the number `replayed`."""
    tallies, replayed = history.insert(delivery, contract, checked, connection)
    counts = {field.name: sum(getattr(tally, field.name) for tally in tallies.values()) for field in fields(Tally)}
    return counts | {"replayed": replayed}


def _admit_checked(delivery: Delivery, contract: Contract) -> Counts:
    """Admit a delivery as checked; where another run has loaded it again meanwhile, check it again first."""
    for _ in range(ATTEMPTS):
        if delivery.status in deliveries.ENDED:
            return {}
        try:
            return in_history(delivery, contract, _admit)
        except LoadedAgain:
            delivery, contract = _made_checkable(delivery.delivery_id)
    raise AdmitFault(f"Other runs keep loading delivery {delivery.delivery_id} while it is admitted; run the step again")


def _admit(delivery: Delivery, contract: Contract, checked: Rechecked, connection: Connection[Any]) -> Counts:
    if delivery.status in deliveries.ENDED:  # another run was faster
        return {}
    holder = deliveries.admitted_of_night(delivery, connection)
    if holder is not None and holder.delivery_id > delivery.delivery_id:
        deliveries.supersede(delivery, holder, connection)
        checkpoint.remove(delivery.delivery_id)  # no answer is written for it, so nobody else would
        return {}
    if not checkpoint.is_whole(delivery, contract):
        raise AdmitFault(f"The checkpoint of delivery {delivery.delivery_id} was removed while it was admitted; run the step again")
    if delivery.status != "checked":
        raise LoadedAgain
    return insert(delivery, contract, checked, connection)


def _made_checkable(delivery_id: int) -> tuple[Delivery, Contract]:
    """The delivery, checked under today's contract and with its checkpoint whole, or ended."""
    from warehouse.admit import stage

    with clean_errors(f"look at delivery {delivery_id}"), connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
        contract = load_contract(delivery.feed)
        if delivery.status in deliveries.ENDED:
            return delivery, contract
        connection.rollback()
        is_checked = delivery.status == "checked"
        if is_checked:
            is_checked = checkpoint.build(delivery, contract).contract_hash == deliveries.contract_hash(delivery, connection)
            connection.rollback()
        if not is_checked:
            stage.check(delivery_id)
        return deliveries.find(delivery_id, connection), contract
