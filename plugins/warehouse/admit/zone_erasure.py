"""Take erased records out of the zones the loader owns: source, vault and quarantine, in the caller's transaction.

Who was erased, and why, stands in `ops.erasure`. For an erasure request everything goes; where consent was withdrawn, what
consent keeps stays, and so does what came on that night and later, which says for itself whether it has consent.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import SQL_TYPES, vault_grain

BEGAN_EARLIER = "z._valid_from < e.night"
EARLIER = "exists (select from ops.delivery as d where d.delivery_id = z.delivery_id and d.night < e.night)"


def erase(contract: Contract, erasure_ids: list[int], connection: Connection[Any]) -> None:
    """Delete every version and refused row of the records, and add to `ops.erasure.removed` how many left each zone. Idempotent."""
    connection.execute("drop table if exists pg_temp.erasing")
    connection.execute("create temp table erasing (erasure_id bigint, record_key uuid, key_name text, is_withdrawal boolean, night date) on commit drop")
    connection.execute(
        """
        insert into erasing select erasure_id, record_key, key_name, reason = 'consent withdrawn', requested_on
        from ops.erasure where erasure_id = any(%s)
        """,
        [erasure_ids],
    )
    connection.execute("analyze erasing")
    for table in contract.tables.values():
        for key in shared_keys(table):
            source = f"source.{quoted(table.relation)}"
            of_key = f"e.key_name = {literal(key)} and z.{quoted(key)} = e.record_key"
            _delete(connection, "source", source, f"{of_key} and (not e.is_withdrawal or ({BEGAN_EARLIER} and {needs_consent(contract, 'z')}))")
            if vault_grain(contract, table) is not None and key == "record_key":
                _delete(connection, "vault", f"vault.{quoted(table.relation)}", f"{of_key} and (not e.is_withdrawal or {BEGAN_EARLIER})")
    kept = "false" if contract.consent is None else f"z.raw - array[{', '.join(literal(name.lower()) for name in contract.consent.keep)}] = '{{}}'"
    _delete(
        connection,
        "quarantine",
        "quarantine.refused_row",
        f"z.feed = {literal(contract.feed)} and z.record_key = e.record_key and (not e.is_withdrawal or (not {kept} and {EARLIER}))",
    )


def shared_keys(table: Table) -> list[str]:
    """The keys of a table by which its rows belong to a record, or to something that records belong to."""
    return ["record_key"] if "record_key" in table.keys else [key for key in table.keys if key != "row_key"]


def needs_consent(contract: Contract, relation: str) -> str:
    """SQL for whether a row of a source relation needed consent to be there: always, where the feed does not ask for it."""
    if contract.consent is None:
        return "true"
    column = next(iter(contract.tables.values())).column(contract.consent.column)
    withheld = "false" if SQL_TYPES[column.type] == "boolean" else literal(contract.consent.withheld)
    return f"{relation}.{quoted(column.field)} is distinct from {withheld}"


def _delete(connection: Connection[Any], zone: str, relation: str, which: str) -> None:
    """Delete the rows `z` of a relation that belong to an erasure `e`, and count them with it."""
    connection.execute(f"""
        with gone as (
            delete from {relation} as z using erasing as e where {which} returning e.erasure_id
        ), counted as (
            select erasure_id, count(*) as rows from gone group by erasure_id
        )
        update ops.erasure as done
        set removed = done.removed || jsonb_build_object({literal(zone)}, coalesce((done.removed ->> {literal(zone)})::bigint, 0) + counted.rows)
        from counted where counted.erasure_id = done.erasure_id
    """)
