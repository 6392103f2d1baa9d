"""Write what was decided about a table's rows: versions in source zone and vault, refused rows in quarantine.

Everything is written as of the delivery's night. Versions are half-open: one that a night ends was last current the night
before. Later nights do not exist while a delivery is applied (`history` has taken them back), so that a version never ends
on the night it began.
"""

from __future__ import annotations

from warehouse.admit import checkpoint
from warehouse.admit.deliveries import Finding
from warehouse.admit.difference import TableWork
from warehouse.admit.errors import AdmitFault
from warehouse.admit.parse import zone_value
from warehouse.admit.transfer import copy_in, has_rows
from warehouse.contracts import ddl
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Column
from warehouse.contracts.zones import ZoneColumn, source_columns, vault_columns

DUCKDB_TYPES = {"text": "varchar", "integer": "integer", "smallint": "smallint", "date": "date", "boolean": "boolean", "uuid": "uuid"}
EVENT_CHANGED = "event_changed"
GOOD = "('written', 'identified', 'unchanged')"


def write_source(work: TableWork, decided: dict[str, int]) -> None:
    """End the versions that changed, were deleted or are gone, and add the new ones.

    Args:
        decided: number of rows by outcome.

    Raises:
        AdmitFault: another number of rows was written than was decided.
    """
    _end(work, work.source, "row_key", "select key from ending")
    written = _add(
        work,
        "source",
        f"""
        select {_values(source_columns(work.table))}, {work.delivery.delivery_id}::bigint as _delivery_id, _row_number, _row_hash,
               {_night(work)} as _valid_from, null::date as _valid_to
        from decided where outcome = 'written'
        """,
    )
    if written != decided["written"]:
        raise AdmitFault(f"{work.table.relation}: {written} rows written, but {decided['written']} were to be; nothing of the delivery is admitted")


def write_vault(work: TableWork) -> None:
    """End the identifiers that were replaced, deleted or are no longer held, and add the new ones; events only ever add."""
    _end(work, work.vault, work.vault_key, "select key, hash from ending_identity", by_hash=work.kind == "snapshot")
    _add(
        work,
        "vault",
        f"""
        select {_values(vault_columns(work.contract, work.table))}, {work.delivery.delivery_id}::bigint as _delivery_id, _identity_hash as _row_hash,
               {_night(work)} as _valid_from, null::date as _valid_to
        from {_first_of_identity(work)}
        """,
    )


def write_quarantine(work: TableWork, decided: dict[str, int]) -> int:
    """Put the refused rows of the delivery's table in place of those an earlier run kept; returns how many there are."""
    work.connection.execute("delete from quarantine.refused_row where delivery_id = %s and table_name = %s", [work.delivery.delivery_id, work.table.name])
    refused = f"""
        select {_place(work)}, _row_number as row_number, rules, raw, record_key from refused
        where _row_number not in (select _row_number from decided where outcome = 'erased')
    """
    kept = copy_in(work.session, refused, work.connection, "quarantine.refused_row", json_columns=("raw",))
    if decided["changed"]:
        record_key = "record_key" if "record_key" in work.table.keys else "null::uuid"
        changed = f"""
            select {_place(work)}, _row_number as row_number, [{literal(EVENT_CHANGED)}] as rules, {_as_it_came(work)} as raw, {record_key} as record_key
            from decided where outcome = 'changed'
        """
        kept += copy_in(work.session, changed, work.connection, "quarantine.refused_row", json_columns=("raw",))
    return kept


def list_changed_events(work: TableWork) -> None:
    """Write which events are known with other content beside the checkpoint's violations, in the same columns, for the agency's answer."""
    ids = ", ".join(f"{literal(c.name + ' ')} || {quoted(c.field)}" for c in work.table.key_columns("row_key"))
    record_key = "record_key" if "record_key" in work.table.keys else "null::uuid"
    path = checkpoint.folder(work.delivery.delivery_id) / f"{work.table.name}.changed.parquet"
    work.session.execute(f"""
        copy (
            select _row_number, {literal(EVENT_CHANGED)} as rule, 'quarantine' as severity, null::varchar as column_name,
                   concat_ws(', ', {ids}) as record_id, {record_key} as record_key
            from decided where outcome = 'changed' order by _row_number
        ) to {literal(str(path))} (format parquet)
    """).fetchall()


def changed_events(work: TableWork, decided: dict[str, int], checked: int) -> Finding:
    """The verdict on events that are known with other content."""
    message = f"A row of {work.table.name} was delivered before with other content; an event is never altered"
    return Finding(work.table.name, EVENT_CHANGED, None, "quarantine", checked, decided["changed"], message)


def _place(work: TableWork) -> str:
    return f"{work.delivery.delivery_id}::bigint as delivery_id, {literal(work.contract.feed)} as feed, {literal(work.table.name)} as table_name"


def _as_it_came(work: TableWork) -> str:
    """The row as JSON, its values as a file of the feed writes them and without those missing; without consent, only what may be kept."""
    date_format = work.contract.format.date_format.replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")

    def text(column: Column) -> str:
        field = quoted(column.field)
        if column.type == "date":
            return f"strftime({field}, {literal(date_format)})"
        return f"case {field} when true then 'Y' when false then 'N' end" if column.type == "flag" else f"{field}::varchar"

    def whole(columns: list[Column]) -> str:
        return f"json_merge_patch('{{}}', json_object({', '.join(f'{literal(c.field)}, {text(c)}' for c in columns)}))::varchar"

    consent = work.contract.consent
    if consent is None:
        return whole(work.table.columns)
    return f"case when _withheld then {whole([c for c in work.table.columns if c.name in consent.keep])} else {whole(work.table.columns)} end"


def _first_of_identity(work: TableWork) -> str:
    """The rows that bring identifiers the vault does not hold, one for each set of identifiers."""
    new = f"decided where brings_identity and outcome in {GOOD} and {work.vault_key} is not null"
    if set(work.table.keys["row_key"]) == set(work.table.keys[work.vault_key]):
        return new  # one row for a key: nothing to choose among
    return f"(select * from decided where _row_number in (select min(_row_number) from {new} group by {work.vault_key}, _identity_hash))"


def _end(work: TableWork, relation: str, key: str, keys: str, by_hash: bool = False) -> None:
    """End the current versions with the keys (and hashes) of a DuckDB query on the delivery's night."""
    work.connection.execute("create temp table if not exists ending (key uuid, hash uuid) on commit drop")
    work.connection.execute("truncate ending")
    if copy_in(work.session, keys, work.connection, "ending"):
        work.connection.execute("analyze ending")
        same_hash = "and version._row_hash = ending.hash" if by_hash else ""
        work.connection.execute(
            f"update {relation} as version set _valid_to = %s from ending where version.{key} = ending.key and version._valid_to is null {same_hash}",
            [work.delivery.night],
        )


def _add(work: TableWork, zone: ddl.Zone, query: str) -> int:
    """Add the rows of a DuckDB query to the table's relation in a zone, without upkeep of the index where it is empty; returns how many.

    A table emptied in this transaction is new to Postgres, which spares it the write-ahead log where `wal_level` is minimal.
    """
    relation = work.source if zone == "source" else work.vault
    is_first = not has_rows(work.connection, relation)
    if is_first:
        work.connection.execute(f"truncate {relation}")
        ddl.drop_index(work.table, zone, work.connection)
    added = copy_in(work.session, query, work.connection, relation, is_new=is_first)
    if is_first:
        ddl.create_index(work.contract, work.table, zone, work.connection)
        work.connection.execute(f"analyze {relation}")
    return added


def _values(columns: list[ZoneColumn]) -> str:
    """The zone's columns in terms of the file's."""
    return ", ".join(f"{zone_value(zone)}::{DUCKDB_TYPES[zone.sql_type]} as {quoted(zone.name)}" for zone in columns)


def _night(work: TableWork) -> str:
    return f"date {literal(work.delivery.night.isoformat())}"
