"""The admit stage: load a delivery's files, check its rows, admit the good ones.

Each function may be run again at any time and be killed at any moment: its work is one transaction (checking adds reading
by Great Expectations), and what the step before it left in the unlogged landing tables is made again if it is not whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from psycopg import Connection

from warehouse.admit import deliveries, landing
from warehouse.admit.admission import admit_table
from warehouse.admit.checks import Checker
from warehouse.admit.deliveries import Delivery, Finding
from warehouse.admit.errors import AdmitFault
from warehouse.admit.files import FileFault, inspect
from warehouse.contracts import ddl
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.suite import ROW_COUNT, Rule, TableRules, build
from warehouse.database import clean_errors, connect, ops
from warehouse.settings import settings

# Nothing is left to do for these.
ENDED = ("admitted", "duplicate")
Counts = dict[str, int]
Step = Callable[[Delivery, Contract, Connection[Any]], Counts]


class _Refused(Exception):
    """Ends a step: undo what it did, and refuse the delivery for those of the findings that say so."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__()


def load(delivery_id: int) -> Counts:
    """File phase: the delivery's files into typed landing tables.

    Returns:
        Rows `received` and, of them, `malformed`; empty when the delivery was admitted before or is a duplicate.

    Raises:
        DeliveryRefused: a file is missing, empty, cut off, not in the agreed encoding or columns, or the night is out of order.
        DatabaseFault: the database refused.
    """
    return _run("load", delivery_id, _load)


def check(delivery_id: int) -> Counts:
    """Record phase: every rule of the contract and the suite, on every table of the delivery.

    Returns:
        Number of `rules` asked and of `failures` (row and rule); empty when the delivery was admitted before or is a duplicate.

    Raises:
        DeliveryRefused: a rule of severity refuse failed, or too large a share of a table's rows did.
        AdmitFault: a rule could not be evaluated.
        DatabaseFault: the database refused.
    """
    if not _is_ready(delivery_id, ("loaded", "checked")):
        load(delivery_id)
    return _run("check", delivery_id, _check)


def admit(delivery_id: int) -> Counts:
    """Put good rows into vault and source with history and refused rows into quarantine: all of it, or none.

    Returns:
        Rows `received`, `admitted`, `quarantined`, `unchanged`, and versions `closed` because a snapshot no longer holds
        them; empty when the delivery was admitted before or is a duplicate.

    Raises:
        DeliveryRefused: a later night was admitted meanwhile, or the delivery had to be loaded and checked again and failed.
        AdmitFault: the rows do not add up.
        DatabaseFault: the database refused.
    """
    if not _is_ready(delivery_id, ("checked",)):
        check(delivery_id)
    return _run("admit", delivery_id, _admit)


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
            try:
                with connection.transaction():
                    counts = step(delivery, contract, connection)
            except _Refused as refused:
                landing.drop(contract, connection)
                if stage == "load":
                    deliveries.forget_findings(delivery, connection)
                refusal = deliveries.refuse(delivery, refused.findings, connection)
                connection.commit()
                raise refusal from None
            connection.commit()
            for name, count in counts.items():
                run.count(name, count)
            return counts


def _load(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> Counts:
    _refuse_if_late(delivery, connection)
    deliveries.forget_findings(delivery, connection)
    ddl.apply(contract, connection)
    landing.create(contract, connection)
    files = deliveries.files(delivery, connection)
    faults = _file_findings(contract, files)
    loaded: dict[str, tuple[int, int]] = {}
    for table in contract.tables.values():
        for name in files.get(table.name, [])[:1]:
            try:
                shape = inspect(delivery.folder / name, table, contract.format)
                loaded[table.name] = landing.copy_file(delivery.folder / name, shape, contract, table, connection)
            except FileFault as fault:
                faults.append(Finding(table.name, fault.rule, None, "refuse", None, 1, f"{name}: {fault}"))
    if faults:
        raise _Refused(faults)
    for table in contract.tables.values():
        landing.parse(contract, table, delivery.delivery_id, settings().feed_key(contract.feed), connection)
    deliveries.record_loaded(delivery, {name: rows + malformed for name, (rows, malformed) in loaded.items()}, connection)
    deliveries.record_findings(delivery, [_malformed(contract.tables[name], *counts) for name, counts in loaded.items()], connection)
    deliveries.set_status(delivery, "loaded", None, connection)
    return {"received": sum(rows + bad for rows, bad in loaded.values()), "malformed": sum(bad for _, bad in loaded.values())}


def _check(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> Counts:
    received = deliveries.received_rows(delivery, connection)
    _must_hold(delivery, contract, received, connection)
    previous = deliveries.last_admitted_rows(delivery, connection)
    findings: list[Finding] = []
    checker = Checker()
    try:
        for rules in build(contract):
            if rules.table.name in received:
                findings += _check_table(checker, rules, received, previous, connection)
    finally:
        checker.close()
    deliveries.record_findings(delivery, findings, connection)
    if any(finding.refuses for finding in findings):
        raise _Refused(findings)
    deliveries.set_status(delivery, "checked", None, connection)
    return {"rules": len(findings), "failures": sum(f.failed_rows for f in findings)}


def _check_table(checker: Checker, rules: TableRules, received: Counts, previous: Counts, connection: Connection[Any]) -> list[Finding]:
    """Ask all rules of a table and put the failing rows into its failure relation."""
    table = rules.table
    landing.clear_failures(table, connection)
    outcomes = checker.counts(f"{table.relation}__parsed", [_with_last_delivery(rule, table, previous.get(table.name)) for rule in rules.rules])
    findings = [Finding(table.name, o.rule.code, o.rule.column, o.rule.severity, o.checked_rows, o.failed_rows, o.rule.message) for o in outcomes]
    limit = max(table.volume.refuse_floor, table.volume.refuse_above * received[table.name])
    worst = max((o.failed_rows for o in outcomes if o.rule.severity == "quarantine"), default=0)
    if worst < limit:  # else the delivery is refused, and there is no use in listing most of its rows
        for outcome in outcomes:
            if outcome.failed_rows:
                landing.add_failures(table, outcome.rule.code, outcome.rule.severity, checker.failing_rows(f"{table.relation}__parsed", outcome), connection)
        worst = landing.refused_rows(table, connection)
    if worst >= limit:
        message = f"at least {worst} of {received[table.name]} rows break rules; see the check results for which, and check the export"
        findings.append(Finding(table.name, "failing_share", None, "refuse", received[table.name], worst, message))
    return findings


def _with_last_delivery(rule: Rule, table: Table, previous: int | None) -> Rule:
    """The row-count rule narrowed by how many rows the last admitted delivery had."""
    change = table.volume.max_change
    if rule.code != ROW_COUNT or change is None or not previous:
        return rule
    least, most = math.ceil(previous * (1 - change)), math.floor(previous * (1 + change))
    return replace(rule, kwargs={"min_value": max(least, rule.kwargs["min_value"]), "max_value": min(most, rule.kwargs.get("max_value", most))})


def _admit(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> Counts:
    received = deliveries.received_rows(delivery, connection)
    _must_hold(delivery, contract, received, connection)
    _refuse_if_late(delivery, connection)
    tallies = {name: admit_table(delivery, contract, contract.tables[name], rows, connection) for name, rows in received.items()}
    deliveries.record_admitted(delivery, tallies, connection)
    deliveries.set_status(delivery, "admitted", None, connection)
    landing.drop(contract, connection)
    return {name: sum(getattr(tally, name) for tally in tallies.values()) for name in ("received", "admitted", "quarantined", "unchanged", "closed")}


def _refuse_if_late(delivery: Delivery, connection: Connection[Any]) -> None:
    newest = deliveries.newest_admitted_night(delivery.feed, connection)
    if newest is not None and delivery.night < newest:
        message = f"the night {delivery.night} is before {newest}, which is already admitted; deliveries are admitted in the order of their nights"
        raise _Refused([Finding("", "night_order", None, "refuse", None, 1, message)])


def _file_findings(contract: Contract, files: dict[str, list[str]]) -> list[Finding]:
    """Tables whose file did not come, or came more than once. A delivery of changes may leave out tables without changes."""
    may_miss = contract.delivery.kind == "changes" and bool(files)
    findings = []
    for table in contract.tables.values():
        names = files.get(table.name, [])
        if not names and not may_miss:
            message = f"no file named {table.file} came; send it, or leave nothing in the folder"
            findings.append(Finding(table.name, "missing_file", None, "refuse", None, 1, message))
        if len(names) > 1:
            message = f"{len(names)} files came for one table ({', '.join(names)}); send one"
            findings.append(Finding(table.name, "one_file_per_table", None, "refuse", None, len(names), message))
    return findings


def _malformed(table: Table, loaded: int, malformed: int) -> Finding:
    message = f"The row of {table.name} does not have the {len(table.columns)} fields of the header"
    return Finding(table.name, "malformed_row", None, "quarantine", loaded + malformed, malformed, message)


def _is_ready(delivery_id: int, statuses: tuple[str, ...]) -> bool:
    """Whether the delivery has got to one of the statuses and its landing tables are whole, or nothing is left to do for it."""
    with clean_errors(f"look at delivery {delivery_id}"), connect("loader") as connection:
        delivery = deliveries.find(delivery_id, connection)
        if delivery.status in ENDED:
            return True
        received = deliveries.received_rows(delivery, connection)
        return delivery.status in statuses and landing.holds(load_contract(delivery.feed), delivery_id, received, connection)


def _must_hold(delivery: Delivery, contract: Contract, received: Counts, connection: Connection[Any]) -> None:
    if not landing.holds(contract, delivery.delivery_id, received, connection):
        raise AdmitFault(f"Another delivery of {delivery.feed} took the landing tables from delivery {delivery.delivery_id}; run the step again")
