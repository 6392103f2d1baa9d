"""Erase records: what one agency sent of a person leaves every zone, and `ops.erasure` keeps the record that it was done.

An erasure is registered first, then carried out place by place: the loader's zones, landed files, checkpoints, answers,
linkage. Each step can be done again, so that one interrupted anywhere is taken up by `finish_pending`; marts follow with
the next night. Until it is lifted, rows of the record that come again are kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import Any

from psycopg import Connection

from warehouse.admit import zone_erasure
from warehouse.admit.deliveries import lock_feed
from warehouse.admit.redact import redact
from warehouse.admit.zone_erasure import shared_keys
from warehouse.contracts.ddl import quoted
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Column, Contract, Table
from warehouse.database import clean_errors, connect
from warehouse.settings import settings

SEPARATOR = "\x1f"  # the ASCII unit separator
REASONS = ("erasure request", "consent withdrawn")


def request(feed: str, records: list[dict[str, str]], reason: str, requested_on: date, by: str) -> list[int]:
    """Register erasures and carry them out.

    Args:
        records: for each record, the agency's ids by the columns that a record key of the feed is made of.
        reason: one of `REASONS`. Where consent was withdrawn, what the contract keeps without consent stays.
        requested_on: the date of the request; of a withdrawal of consent, the night from which it holds.
        by: who asks for it.

    Returns:
        Ids of the erasures of these records, those that were registered before among them, and of the things (cases) that only erased records belong to.

    Raises:
        ValueError: the reason or the columns are not known; the message holds no id.
        DatabaseFault, LinkageFault, AdmitFault: a step failed; `finish_pending` takes the erasure up again.
    """
    if reason not in REASONS:
        raise ValueError(f"The reason for an erasure is one of: {', '.join(REASONS)}")
    contract = load_contract(feed)
    keys = record_keys(contract, records)
    with clean_errors(f"register erasures of {feed}"), connect("loader") as connection:
        lock_feed(feed, connection)
        erasure_ids = _register(feed, "record_key", keys, reason, requested_on, by, connection)
        for key, members in _keys_of_groups(contract):
            erasure_ids += _register(feed, key, _emptied_groups(feed, key, members, connection), reason, requested_on, by, connection)
    finish_pending(feed)
    return erasure_ids


def known(feed: str, records: list[dict[str, str]]) -> int:
    """How many of the records the source zone or quarantine holds rows of.

    Raises:
        ValueError: the columns are not those of a record key of the feed.
        DatabaseFault: the database refused.
    """
    contract = load_contract(feed)
    relations = [f"source.{quoted(table.relation)}" for table in contract.tables.values() if "record_key" in table.keys] + ["quarantine.refused_row"]
    anywhere = " or ".join(f"exists (select from {relation} as z where z.record_key = k.key)" for relation in relations)
    with clean_errors(f"look for records of {feed}"), connect("loader") as connection:
        counted = connection.execute(f"select count(*) from unnest(%s::uuid[]) as k (key) where {anywhere}", [record_keys(contract, records)]).fetchone()
    return int(counted[0]) if counted else 0


def record_keys(contract: Contract, records: list[dict[str, str]]) -> list[str]:
    """The record keys of the agency's ids, each once.

    Raises:
        ValueError: the columns of a record are not those of a record key of the feed.
    """
    kinds = {frozenset(table.keys["record_key"]): table for table in contract.tables.values() if "record_key" in table.keys}
    keys = []
    for record in records:
        table = kinds.get(frozenset(record))
        if table is None:
            wanted = " or ".join(", ".join(sorted(columns)) for columns in kinds)
            raise ValueError(f"A record of {contract.feed} is told by the columns {wanted or 'none: no table has a record key'}")
        keys.append(_key_of(contract, table, record))
    return list(dict.fromkeys(keys))


def finish_pending(feed: str | None = None) -> int:
    """Carry out every erasure that is registered and not finished, and take erased rows out of files landed since; returns how many are finished.

    Args:
        feed: of this feed alone.

    Raises:
        DatabaseFault, LinkageFault, AdmitFault: a step failed; what is done stays done.
    """
    with clean_errors("look for erasures to carry out"), connect("loader") as connection:
        pending = connection.execute(
            "select feed, array_agg(erasure_id order by erasure_id) from ops.erasure"
            " where finished_at is null and (%(feed)s::text is null or feed = %(feed)s) group by feed order by feed",
            {"feed": feed},
        ).fetchall()
    for name, erasure_ids in pending:
        _finish(load_contract(name), erasure_ids)
    redact(feed)
    return sum(len(erasure_ids) for _, erasure_ids in pending)


def lift(erasure_id: int, by: str) -> None:
    """Admit rows of the record again when they come; what was erased does not come back.

    Args:
        by: who says so, for the record.

    Raises:
        ValueError: there is no such erasure, or it is lifted already.
    """
    with clean_errors(f"lift erasure {erasure_id}"), connect("loader") as connection:
        lifted = connection.execute(
            "update ops.erasure set lifted_at = now(), lifted_by = %s where erasure_id = %s and lifted_at is null", [by, erasure_id]
        ).rowcount
    if not lifted:
        raise ValueError(f"There is no erasure {erasure_id} in force")


def _finish(contract: Contract, erasure_ids: list[int]) -> None:
    """Carry erasures of one feed out, place by place."""
    from warehouse.admit.answer import stage as answers
    from warehouse.link.forget import forget

    with clean_errors(f"erase records of {contract.feed}"), connect("loader") as connection:
        lock_feed(contract.feed, connection)
        # What a delivery withdrew left these zones in the transaction that admitted it.
        asked = connection.execute("select erasure_id from ops.erasure where erasure_id = any(%s) and delivery_id is null", [erasure_ids]).fetchall()
        zone_erasure.erase(contract, [erasure_id for (erasure_id,) in asked], connection)
    redact(contract.feed)
    answers.forget(contract.feed)
    forget(erasure_ids)
    with clean_errors(f"finish erasures of {contract.feed}"), connect("loader") as connection:
        connection.execute("update ops.erasure set finished_at = now() where erasure_id = any(%s) and finished_at is null", [erasure_ids])


def _register(feed: str, key: str, keys: list[str], reason: str, requested_on: date, by: str, connection: Connection[Any]) -> list[int]:
    """Register the keys that have no erasure of this reason in force; the ids of all of them."""
    connection.execute(
        """
        insert into ops.erasure (feed, key_name, record_key, reason, requested_on, requested_by)
        select %(feed)s, %(key)s, k.record_key, %(reason)s, %(on)s, %(by)s from unnest(%(keys)s::uuid[]) as k (record_key)
        where not exists (
            select from ops.erasure as e
            where e.feed = %(feed)s and e.record_key = k.record_key and e.reason = %(reason)s and e.lifted_at is null and e.requested_on >= %(on)s
        )
        """,
        {"feed": feed, "key": key, "keys": keys, "reason": reason, "on": requested_on, "by": by},
    )
    rows = connection.execute(
        "select max(erasure_id) from ops.erasure where feed = %s and record_key = any(%s::uuid[]) and reason = %s and lifted_at is null group by record_key",
        [feed, keys, reason],
    ).fetchall()
    return sorted(erasure_id for (erasure_id,) in rows)


def _keys_of_groups(contract: Contract) -> list[tuple[str, list[Table]]]:
    """Keys by which tables without records hang on tables with records (a case and its persons), with the latter."""
    with_records = [table for table in contract.tables.values() if "record_key" in table.keys]
    keys = {key for table in contract.tables.values() if "record_key" not in table.keys for key in shared_keys(table)}
    return [(key, members) for key in sorted(keys) if (members := [table for table in with_records if key in table.keys])]


def _emptied_groups(feed: str, key: str, members: list[Table], connection: Connection[Any]) -> list[str]:
    """The groups that have erased records and no others."""
    rows = " union all ".join(f"select record_key, {quoted(key)} as group_key from source.{quoted(table.relation)}" for table in members)
    found = connection.execute(
        f"""
        select group_key::text from ({rows}) as member
        left join (select distinct record_key from ops.erasure where feed = %s and lifted_at is null) as erased using (record_key)
        group by group_key having bool_and(erased.record_key is not null)
        """,
        [feed],
    ).fetchall()
    return [group_key for (group_key,) in found]


def _key_of(contract: Contract, table: Table, record: dict[str, str]) -> str:
    """The record key of an agency's ids: the HMAC that `keys` has DuckDB compute, over the same text."""
    parts = [_as_hashed(column, record[column.name].strip(), contract.format.date_format) for column in table.key_columns("record_key")]
    message = SEPARATOR.join(["record_key", *parts])
    return hmac.new(settings().feed_key(contract.feed), message.encode(), hashlib.sha256).hexdigest()[:32]


def _as_hashed(column: Column, text: str, date_format: str) -> str:
    """An id as the text that enters the hash: typed, and written as DuckDB writes that type."""
    if column.type == "integer" and text.lstrip("+-").isdecimal():
        return str(int(text))
    if column.type == "date" and len(text) == len(date_format):
        return "-".join(text[(start := date_format.index(token)) : start + len(token)] for token in ("YYYY", "MM", "DD"))
    return text
