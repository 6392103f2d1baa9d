"""What an engineer does with a delivery that has been decided upon: do it again, take it back, let refused rows in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from warehouse.admit import checkpoint, deliveries, erasure, history
from warehouse.admit.admission import Counts, Rechecked, in_history, insert
from warehouse.admit.deliveries import Delivery
from warehouse.admit.errors import DeliveryRefused
from warehouse.admit.history import Checked
from warehouse.admit.judging import judge
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract
from warehouse.database import clean_errors, connect, ops

Change = Callable[[Delivery, Contract, Rechecked, Connection[Any]], Counts]


def redo(delivery_id: int) -> Counts:
    """Admit a delivery again from its landed files, under today's contract; the nights after it are replayed.

    It takes the place of whatever delivery its night has, itself or another: this is also how one that was superseded or
    rejected is brought back.

    Returns:
        As `admission.admit`.

    Raises:
        DeliveryRefused: its landed files are gone, today's rules refuse it, or a later night cannot be replayed. Nothing changed.
        AdmitFault: the rows do not add up. Nothing changed.
        DatabaseFault: the database refused. Nothing changed.
    """
    delivery, contract = _found(delivery_id)
    found = _checked_again(delivery, contract)

    def again(delivery: Delivery, contract: Contract, checked: Rechecked, connection: Connection[Any]) -> Counts:
        return _insert_again(delivery, contract, found, checked, connection)

    return _change("admit.redo", delivery, contract, again)


def release(delivery_id: int) -> Counts:
    """Check an admitted delivery again under today's contract: rows refused before that pass now come in at their night.

    Returns:
        Rows `released` and rows `still_refused`.

    Raises:
        DeliveryRefused: the delivery is not admitted; otherwise as `redo`.
    """
    delivery, contract = _found(delivery_id)
    if delivery.status != "admitted":
        raise DeliveryRefused(f"Delivery {delivery_id} is {delivery.status}: only an admitted delivery has refused rows to release. Use redo to admit it")
    found = _checked_again(delivery, contract)

    def again(delivery: Delivery, contract: Contract, checked: Rechecked, connection: Connection[Any]) -> Counts:
        before = deliveries.refused_rows(delivery, connection)
        counts = _insert_again(delivery, contract, found, checked, connection)
        return {"released": before - counts["quarantined"], "still_refused": counts["quarantined"], "replayed": counts["replayed"]}

    return _change("admit.release", delivery, contract, again)


def reject(delivery_id: int, reason: str, by: str) -> Counts:
    """Withdraw a delivery: its night is as if it had not come, and the nights after it are replayed.

    A delivery that it superseded does not come back by itself; `redo` brings it back.

    Args:
        reason: why, for the record; no person's values.
        by: who says so.

    Returns:
        Number of nights `replayed`.

    Raises:
        DeliveryRefused: there is nothing to withdraw, or a later night cannot be replayed. Nothing changed.
        DatabaseFault: the database refused. Nothing changed.
    """
    delivery, contract = _found(delivery_id)
    message = f"Rejected by {by}: {reason}"

    def out(delivery: Delivery, contract: Contract, checked: Rechecked, connection: Connection[Any]) -> Counts:
        return {"replayed": history.remove(_still(delivery, ("admitted",)), message, contract, checked, connection)}

    if delivery.status == "admitted":
        counts = _change("admit.reject", delivery, contract, out)
    else:
        with clean_errors(f"reject delivery {delivery_id}"), connect("loader") as connection:
            open_one = _still(deliveries.claim(delivery_id, connection), ("received", "loaded", "checked", "refused"))
            deliveries.withdraw(open_one, "rejected", message, connection)
        counts = {"replayed": 0}
    checkpoint.remove(delivery_id)
    return counts


def _still(delivery: Delivery, statuses: tuple[str, ...]) -> Delivery:
    """The delivery, if it has one of the statuses."""
    if delivery.status not in statuses:
        raise DeliveryRefused(f"Delivery {delivery.delivery_id} is {delivery.status}: there is nothing to withdraw")
    return delivery


def _found(delivery_id: int) -> tuple[Delivery, Contract]:
    with clean_errors(f"look at delivery {delivery_id}"), connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
    return delivery, load_contract(delivery.feed)


def _checked_again(delivery: Delivery, contract: Contract) -> Checked:
    """The delivery's checkpoint made afresh, and what today's rules find in it.

    Raises:
        DeliveryRefused: its landed files are gone, or a rule refuses it.
    """
    which = f"Delivery {delivery.delivery_id} of {delivery.feed} for {delivery.night}"
    if not delivery.folder.is_dir():
        raise DeliveryRefused(
            f"{which} cannot be read again: its landed files are gone (removed by retention, or it is a duplicate). Have the agency send it again"
        )
    checkpoint.remove(delivery.delivery_id)
    facts = checkpoint.build(delivery, contract)
    findings, profiles = judge(delivery, contract)
    reasons = "; ".join(f"{f.table + ': ' if f.table else ''}{f.message} [{f.rule}]" for f in findings if f.refuses)
    if reasons:
        raise DeliveryRefused(f"{which} is left as it was, because today's contract refuses it: {reasons}")
    return Checked(facts.contract_hash, findings, profiles)


def _insert_again(delivery: Delivery, contract: Contract, found: Checked, checked: Rechecked, connection: Connection[Any]) -> Counts:
    twin = deliveries.open_twin(delivery, connection)
    if twin is not None:
        raise DeliveryRefused(f"Delivery {twin} has the same content as delivery {delivery.delivery_id} and is not withdrawn: use that one, or reject it first")
    found.record(delivery, connection)
    return insert(delivery, contract, checked, connection)


def _change(stage: str, delivery: Delivery, contract: Contract, change: Change) -> Counts:
    with ops.stage_run(delivery.night, stage, delivery.feed) as run:
        counts = in_history(delivery, contract, change)
        erasure.finish_pending(delivery.feed)
        for name, count in counts.items():
            run.count(name, count)
    return counts
