"""What is found wrong with a delivery whose checkpoint is whole: the verdict on every rule, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from psycopg import Connection

from warehouse.admit import checkpoint, drift, landing
from warehouse.admit.checks import Judge, Verdict, import_ahead
from warehouse.admit.deliveries import Delivery, Finding
from warehouse.admit.drift import ProfileRow
from warehouse.admit.errors import AdmitFault
from warehouse.admit.facts import Facts, TableFacts
from warehouse.contracts import thresholds
from warehouse.contracts.compile import kind
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.suite import Rule, build
from warehouse.database import clean_errors, connect

FAILING_SHARE = "failing_share"
REFUSED = "refused"  # the measure that the failing share is asked of, beside those of the profile

Profiles = dict[str, list[ProfileRow]]


def judge(delivery: Delivery, contract: Contract) -> tuple[list[Finding], Profiles]:
    """Ask every rule of a delivery whose checkpoint is whole. Works in transactions of its own, under a lock of the feed's.

    Returns:
        The findings, one for each rule of each table that came, and the profiles by table.

    Raises:
        AdmitFault: a rule could not be judged, or Great Expectations found another number of rows than the checkpoint says.
        DatabaseFault: the database refused.
    """
    importing = import_ahead()
    facts = checkpoint.facts(delivery.delivery_id)
    findings, profiles = list(facts.findings), {}
    with clean_errors(f"judge delivery {delivery.delivery_id}"), connect("loader", autocommit=True) as connection, _landing(contract, connection):
        asked: dict[str, list[Rule]] = {}
        for name, of_table in facts.tables.items():
            profiles[name] = _profile(delivery, contract, contract.tables[name])
            asked[name] = _land(delivery, contract, contract.tables[name], of_table, profiles[name], connection)
        importing.join()
        judging = Judge()
        try:
            for part in build(contract):
                if part.table.name in facts.tables:
                    findings += _of_table(judging, part.table, part.rules, asked[part.table.name], facts)
        finally:
            judging.close()
    return findings, profiles


@contextmanager
def _landing(contract: Contract, connection: Connection[Any]) -> Iterator[None]:
    """Have the feed's landing tables to oneself; what a killed run left of them goes first."""
    connection.execute("select pg_advisory_lock(hashtext('warehouse.landing.' || %s))", [contract.feed])
    landing.drop(contract, connection)
    try:
        yield
    finally:
        landing.drop(contract, connection)  # the lock goes with the connection


def _profile(delivery: Delivery, contract: Contract, table: Table) -> list[ProfileRow]:
    rows, violations = checkpoint.rows(delivery.delivery_id, table.name), checkpoint.violations(delivery.delivery_id, table.name)
    return drift.profile(rows, contract, table, violations, delivery.night)


def _land(delivery: Delivery, contract: Contract, table: Table, facts: TableFacts, now: list[ProfileRow], connection: Connection[Any]) -> list[Rule]:
    """Fill the landing tables of one table; returns the rules about its delivery as a whole that are to be asked of them."""
    before = drift.history(delivery, table.name, connection)
    rules = drift.delivery_rules(contract, table, now, before) + _failing_share(contract, table, facts)
    measures = [*now, *drift.changes(contract, table, now, before), ProfileRow("", REFUSED, "", facts.refused)]
    landing.fill(table, checkpoint.violations(delivery.delivery_id, table.name), ((row.name, row.value) for row in measures), connection)
    return rules


def _failing_share(contract: Contract, table: Table, facts: TableFacts) -> list[Rule]:
    """The rule on how many rows of a table may be refused: a share of them, once they are more than a handful."""
    share = thresholds.find(FAILING_SHARE, contract.feed, table.name)
    if share.severity == "ignore" or share.value is None or share.severity == "quarantine":
        return []
    limit = max(thresholds.number("failing_floor", contract.feed, table.name), share.value * facts.received)
    message = f"{facts.refused:,} of {facts.received:,} rows of {table.name} break rules; see the check results for which, and check the export"
    return [Rule(FAILING_SHARE, None, drift.EXPECTATION, {"of": REFUSED, "max_value": limit}, share.severity, message, share.reason)]


def _of_table(judging: Judge, table: Table, rules: list[Rule], of_delivery: list[Rule], facts: Facts) -> list[Finding]:
    counted = {fact.rule: fact for fact in facts.tables[table.name].rules}
    whole = [replace(rule, kwargs={"of": "rows", **rule.kwargs}) for rule in rules if kind(rule) == "delivery"] + of_delivery
    found = []
    for verdict in judging.rows(table.relation + landing.VIOLATION, [rule for rule in rules if kind(rule) != "delivery"]):
        fact = counted[verdict.rule.code]
        if verdict.against != fact.failed_rows:
            raise AdmitFault(f"The rule {fact.rule} of {table.relation} was broken by {fact.failed_rows} rows, but {verdict.against} were judged")
        found.append(_finding(table, verdict, fact.checked_rows, verdict.against))
    received, refused = facts.tables[table.name].received, facts.tables[table.name].refused
    for verdict in judging.delivery(table.relation + landing.PROFILE, whole):
        failed = refused if verdict.rule.code == FAILING_SHARE else 1
        found.append(_finding(table, verdict, received if verdict.rule.code == FAILING_SHARE else 1, 0 if verdict.holds else failed))
    return found


def _finding(table: Table, verdict: Verdict, checked: int, failed: int) -> Finding:
    rule = verdict.rule
    return Finding(table.name, rule.code, rule.column, rule.severity, checked, failed, rule.message)
