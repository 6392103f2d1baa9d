"""Put a delivery in its place in the feed's history, or take one out: rewind to its night, then replay the nights after it.

There is at most one admitted delivery for a feed and night. One mechanism serves deliveries that come late or out of order,
corrected resubmissions, deliveries withdrawn, and deliveries checked again under a changed contract; the result is what
deliveries admitted in the order of their nights give. All of it is one transaction, under the feed's lock. What it reads,
the checkpoints of the nights to be replayed, is made from the landed files beforehand, outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import Connection

from warehouse.admit import checkpoint, deliveries, drift
from warehouse.admit.apply import apply_delivery
from warehouse.admit.deliveries import Delivery, Finding, Tally
from warehouse.admit.errors import AdmitFault, DeliveryRefused
from warehouse.admit.judging import Profiles, judge
from warehouse.contracts.ddl import quoted
from warehouse.contracts.model import Contract
from warehouse.contracts.zones import vault_grain


@dataclass(frozen=True)
class Checked:
    """What a check under today's contract found, to be recorded when the delivery is applied."""

    contract_hash: str
    findings: list[Finding]
    profiles: Profiles

    def record(self, delivery: Delivery, connection: Connection[Any]) -> None:
        """Put it in place of what an earlier check found."""
        deliveries.forget_findings(delivery, connection)
        deliveries.record_findings(delivery, self.findings, connection)
        deliveries.record_contract(delivery, self.contract_hash, connection)
        for table, rows in self.profiles.items():
            drift.store(delivery, table, rows, connection)


class PlanChanged(Exception):
    """Another run changed the feed's history while this one made ready; make ready again."""


def make_ready(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> dict[int, Checked]:
    """Build the checkpoints of the nights after the delivery's, and check again those that another contract admitted.

    Needed for a delivery that is in history or is to be. Outside any transaction: it takes as long as loading them did.

    Returns:
        What the new checks found, by delivery.

    Raises:
        DeliveryRefused: a later night cannot be replayed; the message says which, and what to do.
    """
    found = {}
    later = deliveries.admitted_after(delivery, connection)
    connection.rollback()
    for other in later:
        if not other.folder.is_dir():
            raise DeliveryRefused(
                f"{_where(delivery)} cannot take its place: the landed files of {_where(other)}, which has to be replayed after it, were removed by"
                " retention. Have the agency send the later nights again, or leave history as it is"
            )
        facts = checkpoint.build(other, contract)
        judged_under = deliveries.contract_hash(other, connection)
        connection.rollback()
        if facts.contract_hash != judged_under:
            findings, profiles = judge(other, contract)
            refusals = [f.message for f in findings if f.refuses]
            if refusals:
                raise DeliveryRefused(
                    f"{_where(delivery)} cannot take its place: {_where(other)} has to be replayed after it and would be refused under today's contract"
                    f" ({'; '.join(refusals)}). Reject that delivery first, or mend the contract"
                )
            found[other.delivery_id] = Checked(facts.contract_hash, findings, profiles)
    return found


def insert(delivery: Delivery, contract: Contract, checked: dict[int, Checked], connection: Connection[Any]) -> tuple[dict[str, Tally], int]:
    """Apply the delivery at its night in place of the one that was there, and replay the nights after it.

    Args:
        checked: what `make_ready` gave.
        connection: in a transaction that holds the feed's lock.

    Returns:
        The delivery's tallies by table, and the number of deliveries replayed.

    Raises:
        PlanChanged: a later night has been admitted since `make_ready`.
        AdmitFault: rows do not add up; nothing has changed once the caller has rolled back.
    """
    replaced = deliveries.admitted_of_night(delivery, connection)
    later = _later(delivery, contract, connection)
    if replaced is not None or later:
        rewind(contract, delivery.night, connection)
    if replaced is not None and replaced.delivery_id != delivery.delivery_id:
        deliveries.supersede(replaced, delivery, connection)
        checkpoint.remove(replaced.delivery_id)  # no answer is written for it any more, so nobody else would
    tallies = apply_delivery(delivery, contract, connection)
    return tallies, _replay(later, contract, checked, connection)


def remove(delivery: Delivery, message: str, contract: Contract, checked: dict[int, Checked], connection: Connection[Any]) -> int:
    """Take an admitted delivery out of history and replay the nights after it; returns how many. As `insert` otherwise."""
    later = _later(delivery, contract, connection)
    rewind(contract, delivery.night, connection)
    deliveries.withdraw(delivery, "rejected", message, connection)
    return _replay(later, contract, checked, connection)


def rewind(contract: Contract, night: date, connection: Connection[Any]) -> None:
    """Take the feed's tables back to what they were before a night."""
    for table in contract.tables.values():
        zones = ("source",) if vault_grain(contract, table) is None else ("source", "vault")
        for zone in zones:
            relation = f"{zone}.{quoted(table.relation)}"
            connection.execute(f"delete from {relation} where _valid_from >= %s", [night])
            connection.execute(f"update {relation} set _valid_to = null where _valid_to >= %s", [night])


def _later(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> list[Delivery]:
    later = deliveries.admitted_after(delivery, connection)
    if not all(checkpoint.is_whole(other, contract) for other in later):
        raise PlanChanged
    return later


def _replay(later: list[Delivery], contract: Contract, checked: dict[int, Checked], connection: Connection[Any]) -> int:
    for other in later:
        if other.delivery_id in checked:
            checked[other.delivery_id].record(other, connection)
        try:
            apply_delivery(other, contract, connection)
        except AdmitFault as fault:
            raise AdmitFault(f"{_where(other)} could not be replayed: {fault}") from None
        checkpoint.remove(other.delivery_id)  # should the transaction fail, it is made again
    return len(later)


def _where(delivery: Delivery) -> str:
    return f"Delivery {delivery.delivery_id} of {delivery.feed} for {delivery.night}"
