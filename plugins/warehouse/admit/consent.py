"""Follow what a delivery says about consent: withdrawn, it takes what was there before; given again, it ends the withdrawal.

A record's consent is withdrawn when a delivery holds rows of it without consent, no current row of it in the feed still has
consent, and something of it is there that needed consent. That registers an erasure (`erasure`) in the transaction of the
admission, which takes the data out of the loader's own zones at once; the other places are cleared after the commit.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from warehouse.admit import zone_erasure
from warehouse.admit.deliveries import Delivery
from warehouse.admit.difference import TableWork
from warehouse.admit.transfer import copy_in, fetch_keys, keys_of
from warehouse.contracts.ddl import quoted
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import vault_grain


def note(work: TableWork) -> None:
    """Keep, for `follow`, which records of the table may have withdrawn consent, and which have it again.

    The former have a row without consent that is new, or a row without consent while identifiers of theirs went.
    """
    if work.contract.consent is None or "record_key" not in work.table.keys:
        return
    work.connection.execute("create temp table if not exists withheld (record_key uuid, row_key uuid) on commit drop")
    work.connection.execute("create temp table if not exists consenting (record_key uuid) on commit drop")
    withheld = """
        select distinct record_key, row_key from decided
        where _withheld and record_key is not null
          and (outcome in ('written', 'quarantined') or (outcome = 'unchanged' and record_key in (select key from ending_identity)))
    """
    copy_in(work.session, withheld, work.connection, "withheld")
    active = "from ops.erasure where feed = %s and reason = 'consent withdrawn' and lifted_at is null and requested_on <= %s"
    if fetch_keys(work.session, "withdrawn", keys_of(work.connection, active, [work.contract.feed, work.delivery.night])):
        again = """
            select distinct record_key from decided
            where not _withheld and not _deleted and outcome in ('written', 'identified', 'unchanged') and record_key in (select key from withdrawn)
        """
        copy_in(work.session, again, work.connection, "consenting")


def follow(delivery: Delivery, contract: Contract, connection: Connection[Any]) -> int:
    """Lift withdrawals of records that consent again, and withdraw those that the delivery says have none left; returns how many.

    Runs once the tables of the delivery are written.
    """
    tables = [table for table in contract.tables.values() if "record_key" in table.keys]
    if contract.consent is None or not tables or connection.execute("select to_regclass('pg_temp.withheld')").fetchone() == (None,):
        return 0
    connection.execute(
        """
        update ops.erasure as e set lifted_at = now() from consenting as c
        where e.feed = %s and e.record_key = c.record_key and e.reason = 'consent withdrawn' and e.lifted_at is null and e.requested_on <= %s
        """,
        [contract.feed, delivery.night],
    )
    connection.execute("analyze withheld")
    withdrawn = connection.execute(
        _register(contract, tables), {"feed": contract.feed, "delivery_id": delivery.delivery_id, "night": delivery.night}
    ).fetchall()
    if withdrawn:
        zone_erasure.erase(contract, [erasure_id for (erasure_id,) in withdrawn], connection)
    connection.execute("drop table withheld, consenting")
    return len(withdrawn)


def _register(contract: Contract, tables: list[Table]) -> str:
    """Register the withdrawals; a row refused tonight that says it has no consent does not let its last good version speak for it."""
    consents, anything = [], []
    for table in tables:
        source = f"source.{quoted(table.relation)}"
        with_consent = f"from {source} as s where s.record_key = w.record_key and {zone_erasure.needs_consent(contract, 's')}"
        consents.append(f"not exists (select {with_consent} and s._valid_to is null and not exists (select from withheld as t where t.row_key = s.row_key))")
        anything.append(f"exists (select {with_consent})")
        if vault_grain(contract, table) is not None:
            anything.append(f"exists (select from vault.{quoted(table.relation)} as v where v.record_key = w.record_key)")
    return f"""
        insert into ops.erasure (feed, record_key, reason, delivery_id, requested_on, requested_by)
        select %(feed)s, w.record_key, 'consent withdrawn', %(delivery_id)s, %(night)s, 'the agency, by its delivery'
        from (select distinct record_key from withheld) as w
        where {" and ".join(consents)} and ({" or ".join(anything)})
        returning erasure_id
    """
