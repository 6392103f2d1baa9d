"""Admit a checked table, inside the caller's transaction: quarantine refused rows, write vault and source with history.

What becomes of each row is decided first, once, in the landing relation `__decision`:

| outcome     | meaning                                                              | counted as  |
|-------------|----------------------------------------------------------------------|-------------|
| quarantined | it broke a rule of that severity                                     | quarantined |
| written     | its attributes are new or differ from the current version            | admitted    |
| identified  | only its identifiers are new or differ                               | admitted    |
| deleted     | a deletion of a row that is current                                  | admitted    |
| unchanged   | the same as the current version, or a deletion of what is not there  | unchanged   |
| repeated    | it repeats an earlier row of the file                                | unchanged   |

Versions are half-open: a version closed on the night it began never was, and is removed.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from warehouse.admit.deliveries import Delivery, Tally
from warehouse.admit.errors import AdmitFault
from warehouse.admit.landing import relation
from warehouse.contracts import ddl
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import DELETED, Contract, Table
from warehouse.contracts.zones import ZoneColumn, source_columns, vault_columns, vault_grain


def admit_table(delivery: Delivery, contract: Contract, table: Table, received: int, connection: Connection[Any]) -> Tally:
    """Move one table's rows from landing to where they belong.

    Args:
        received: rows the table's file had, as counted when it was loaded.

    Raises:
        AdmitFault: the rows do not add up.
    """
    return _TableAdmission(delivery, contract, table, connection).run(received)


class _TableAdmission:
    """The statements that admit one table, with the names they share."""

    def __init__(self, delivery: Delivery, contract: Contract, table: Table, connection: Connection[Any]) -> None:
        self.delivery, self.contract, self.table, self.connection = delivery, contract, table, connection
        self.grain = vault_grain(contract, table)
        self.is_snapshot = contract.delivery.kind == "snapshot"
        self.source = f"source.{quoted(table.relation)}"
        self.vault = f"vault.{quoted(table.relation)}"
        self.parsed, self.decision = relation(table, "__parsed"), relation(table, "__decision")
        self.values = {"delivery_id": delivery.delivery_id, "night": delivery.night, "feed": contract.feed, "table": table.name}

    def run(self, received: int) -> Tally:
        self._decide()
        self._quarantine()
        closed = self._write_source()
        if self.grain is not None:
            self._write_vault()
        ddl.create_indexes(self.contract, self.table, self.connection)
        return self._tally(received, closed)

    def _execute(self, statement: str) -> int:
        return self.connection.execute(statement, self.values).rowcount

    def _decide(self) -> None:
        """Fill `__decision`: one row per parsed row, with its keys and what becomes of it."""
        change = self.table.change_type
        deletion = f"parsed.{quoted(change.field)} = {literal(DELETED)}" if change else "false"
        record_key = "parsed.record_key" if "record_key" in self.table.keys else "null::uuid as record_key"
        self._execute(f"drop table if exists {self.decision}")
        self._execute(f"""
            create unlogged table {self.decision}
                (_row_number bigint, row_key uuid, record_key uuid, _identity_hash uuid, is_deletion boolean, outcome text)
        """)
        self._execute(f"""
            insert into {self.decision}
            select parsed._row_number, parsed.row_key, {record_key}, parsed._identity_hash, coalesce({deletion}, false),
                   case when failed._row_number is not null then 'quarantined'
                        when parsed._repeated_row is not null then 'repeated'
                        when {deletion} then case when current.row_key is null then 'unchanged' else 'deleted' end
                        when current._row_hash is distinct from parsed._row_hash then 'written'
                        when {self._identity_is_new()} then 'identified'
                        else 'unchanged' end
            from {self.parsed} as parsed
            left join (select distinct _row_number from {relation(self.table, "__failure")} where severity = 'quarantine') as failed using (_row_number)
            left join {self.source} as current on current.row_key = parsed.row_key and current._valid_to is null
        """)
        self._execute(f"analyze {self.decision}")

    def _identity_is_new(self) -> str:
        if self.grain is None:
            return "false"
        return f"""parsed._identity_hash is not null and not exists (
            select from {self.vault} as known
            where known.{self._vault_key()} = parsed.{self._vault_key()} and known._row_hash = parsed._identity_hash and known._valid_to is null
        )"""

    def _vault_key(self) -> str:
        return "row_key" if self.grain == "row" else "record_key"

    def _quarantine(self) -> None:
        """Keep refused rows as they came, except what a client without consent must not have kept."""
        withheld = "'{}'::text[]"
        if self.contract.consent is not None:
            blanked = [c.field for c in self.table.columns if c.name not in self.contract.consent.keep]
            withheld = f"case when parsed._withheld then array[{', '.join(literal(field) for field in blanked)}] else {withheld} end"
        self._execute("delete from quarantine.refused_row where delivery_id = %(delivery_id)s and table_name = %(table)s")
        self._execute(f"""
            insert into quarantine.refused_row (delivery_id, feed, table_name, row_number, rules, raw)
            select %(delivery_id)s, %(feed)s, %(table)s, raw._row_number, failed.rules, to_jsonb(raw) - '_row_number'::text - {withheld}
            from (
                select _row_number, array_agg(rule order by rule) as rules
                from {relation(self.table, "__failure")} where severity = 'quarantine' group by _row_number
            ) as failed
            join {relation(self.table)} as raw using (_row_number)
            join {self.parsed} as parsed using (_row_number)
        """)
        self._execute(f"""
            insert into quarantine.refused_row (delivery_id, feed, table_name, row_number, rules, raw)
            select %(delivery_id)s, %(feed)s, %(table)s, _row_number, array['malformed_row'], jsonb_build_object('fields', fields)
            from {relation(self.table, "__malformed")}
        """)

    def _write_source(self) -> int:
        """Close and insert versions in the source zone; returns how many a snapshot closed because they are gone."""
        self._close(self.source, f"select row_key from {self.decision} where outcome in ('written', 'deleted')", "row_key")
        gone = 0
        if self.is_snapshot:
            # A row refused tonight is not gone: its last good version stands.
            gone = self._close_missing(self.source, "row_key", f"select row_key from {self.decision}")
        columns = source_columns(self.table)
        values = [_from_parsed(zone) for zone in columns]
        written = self._execute(f"""
            insert into {self.source} ({_names(columns)}, _delivery_id, _row_number, _row_hash, _valid_from)
            select {", ".join(values)}, %(delivery_id)s, parsed._row_number, parsed._row_hash, %(night)s
            from {self.parsed} as parsed join {self.decision} as decision using (_row_number)
            where decision.outcome = 'written'
        """)
        decided = self._count("outcome = 'written'")
        if written != decided:
            raise AdmitFault(f"{self.table.relation}: {written} rows written, but {decided} were to be; nothing of the delivery is admitted")
        return gone

    def _write_vault(self) -> None:
        """Close and insert versions in the vault."""
        if self.grain == "record" and self.is_snapshot:
            self._close_replaced_identifiers()
        else:
            changed = (
                f"select {self._vault_key()} from {self.decision} where outcome = 'deleted' or (outcome in ('written', 'identified') and {self._is_new_here()})"
            )
            self._close(self.vault, changed, self._vault_key())
        columns = vault_columns(self.contract, self.table)
        key = self._vault_key()
        self._execute(f"""
            insert into {self.vault} ({_names(columns)}, _delivery_id, _row_hash, _valid_from)
            select distinct on (parsed.{key}, parsed._identity_hash)
                   {", ".join(_from_parsed(zone) for zone in columns)}, %(delivery_id)s, parsed._identity_hash, %(night)s
            from {self.parsed} as parsed join {self.decision} as decision using (_row_number)
            where decision.outcome in ('written', 'identified', 'unchanged') and not decision.is_deletion and {self._identity_is_new()}
        """)

    def _is_new_here(self) -> str:
        """Whether a decision's identifiers differ from those the vault holds as current."""
        return f"""not exists (
            select from {self.vault} as known
            where known.{self._vault_key()} = {self.decision}.{self._vault_key()} and known._row_hash = {self.decision}._identity_hash
              and known._valid_to is null
        )"""

    def _close_replaced_identifiers(self) -> None:
        """Close identifiers that a snapshot no longer holds, and remove those of records whose client has withheld consent.

        A record with a refused row keeps the identifiers it had: the row may be where they came from.
        """
        good = f"select record_key, _identity_hash from {self.decision} where outcome not in ('quarantined', 'repeated') and _identity_hash is not null"
        refused = f"select record_key from {self.decision} where outcome = 'quarantined'"
        self._execute(f"""
            delete from {self.vault} as known
            using (select distinct record_key from {self.parsed} where _withheld) as withheld
            where known.record_key = withheld.record_key
              and not exists (select from ({good}) as good where good.record_key = known.record_key)
        """)
        self._finish(
            self.vault,
            f"""not exists (select from ({good}) as good where good.record_key = version.record_key and good._identity_hash = version._row_hash)
                and not exists (select from ({refused}) as refused where refused.record_key = version.record_key)""",
        )

    def _close(self, zone_table: str, keys: str, key: str) -> int:
        return self._finish(zone_table, f"version.{key} in ({keys})")

    def _close_missing(self, zone_table: str, key: str, keys: str) -> int:
        return self._finish(zone_table, f"not exists (select from ({keys}) as delivered where delivered.{key} = version.{key})")

    def _finish(self, zone_table: str, which: str) -> int:
        """End the current versions that meet a condition; those begun on this very night are removed instead."""
        removed = self._execute(f"delete from {zone_table} as version where _valid_to is null and _valid_from = %(night)s and {which}")
        closed = self._execute(f"update {zone_table} as version set _valid_to = %(night)s where _valid_to is null and {which}")
        return removed + closed

    def _count(self, which: str) -> int:
        row = self.connection.execute(f"select count(*) from {self.decision} where {which}").fetchone()
        return int(row[0]) if row else 0

    def _tally(self, received: int, closed: int) -> Tally:
        malformed = self.connection.execute(f"select count(*) from {relation(self.table, '__malformed')}").fetchone()
        tally = Tally(
            received=received,
            admitted=self._count("outcome in ('written', 'identified', 'deleted')"),
            quarantined=self._count("outcome = 'quarantined'") + (int(malformed[0]) if malformed else 0),
            unchanged=self._count("outcome in ('unchanged', 'repeated')"),
            closed=closed,
        )
        kept = self.connection.execute(
            "select count(*) from quarantine.refused_row where delivery_id = %(delivery_id)s and table_name = %(table)s", self.values
        ).fetchone()
        if tally.admitted + tally.quarantined + tally.unchanged != received or kept != (tally.quarantined,):
            raise AdmitFault(
                f"{self.table.relation}: of {received} rows received, {tally.admitted} admitted, {tally.quarantined} quarantined and "
                f"{tally.unchanged} unchanged do not make the whole; nothing of the delivery is admitted"
            )
        return tally


def _names(columns: list[ZoneColumn]) -> str:
    return ", ".join(quoted(zone.name) for zone in columns)


def _from_parsed(zone: ZoneColumn) -> str:
    """The zone column's value in terms of the parsed table."""
    if zone.name == "birth_year" and zone.column is not None:
        return f"extract(year from parsed.{quoted(zone.column.field)})::smallint"
    return f"parsed.{quoted(zone.name)}"
