"""How a delivered table differs from what is current in Postgres: found by one join in DuckDB for each zone.

Only what differs is kept, so that a night on which little changed needs little memory. The current versions come as pairs of
key and hash, straight into the join.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from warehouse.admit.deliveries import Delivery
from warehouse.admit.transfer import all_pairs, copy_in, count_rows, has_rows, pairs_of, register_pairs
from warehouse.contracts.ddl import quoted
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import vault_grain

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class TableWork:
    """One table of a delivery while it is admitted, with the two connections it is worked on.

    The DuckDB session is the table's own and has the checkpoint's files as `delivered`, `refused` and `repeated`.
    """

    delivery: Delivery
    contract: Contract
    table: Table
    session: duckdb.DuckDBPyConnection
    connection: Connection[Any]

    @property
    def kind(self) -> str:
        """The kind of delivery: snapshot, changes or events."""
        return self.contract.delivery.kind

    @property
    def grain(self) -> str | None:
        """What a row of the vault relation is; None without one."""
        return vault_grain(self.contract, self.table)

    @property
    def vault_key(self) -> str:
        """The key by which the vault's versions are told apart."""
        return "row_key" if self.grain == "row" else "record_key"

    @property
    def source(self) -> str:
        """The table's relation in the source zone."""
        return f"source.{quoted(self.table.relation)}"

    @property
    def vault(self) -> str:
        """The table's relation in the vault."""
        return f"vault.{quoted(self.table.relation)}"


def find_source_difference(work: TableWork) -> bool:
    """Make the DuckDB table `source_difference`, unless the source zone has nothing of the table; whether it has something.

    One row per delivered row that is not the same as a current version (or is a deletion), with `is_known` for whether its
    key is current; and for a snapshot one row per current key that did not come, as `gone`, without `_row_number`.
    """
    if not has_rows(work.connection, work.source):
        return False
    register_pairs(work.session, "current", _current(work, work.source, "row_key"))
    work.session.execute(f"""
        create table source_difference as
        select row._row_number, current.key is not null as is_known, case when row._row_number is null then current.key end as gone
        from (select _row_number, row_key, _row_hash, _deleted from delivered) as row
        {_join(work)} current on current.key = row.row_key
        where row._row_number is null or row._deleted or current.hash is distinct from row._row_hash
    """).fetchall()
    work.session.unregister("current")
    return True


def find_vault_difference(work: TableWork) -> bool:
    """Make the DuckDB table `vault_difference`, unless the vault has nothing of the table; whether it has something.

    One row per delivered row that brings identifiers which are not current, or (changes) takes those away that are; and for
    a snapshot one row per set of identifiers that no row came with, without `_row_number`. `key` and `hash` are the vault's.
    """
    if not has_rows(work.connection, work.vault):
        return False
    register_pairs(work.session, "current", _current(work, work.vault, work.vault_key))
    # Of a row that may change only one version can be current; a record, told by many rows, may have several.
    same_hash = "" if work.kind == "changes" else "and current.hash = row._identity_hash"
    work.session.execute(f"""
        create table vault_difference as
        select row._row_number, current.key, current.hash
        from (select _row_number, {work.vault_key} as key, _identity_hash from delivered) as row
        {_join(work)} current on current.key = row.key {same_hash}
        where row._row_number is null or current.hash is distinct from row._identity_hash
    """).fetchall()
    work.session.unregister("current")
    return True


def _join(work: TableWork) -> str:
    return "full join" if work.kind == "snapshot" else "left join"


def _current(work: TableWork, relation: str, key: str) -> Iterator[bytes]:
    """All current versions for a snapshot, which must know what is missing; of a delivery with few rows only those with its keys."""
    pages = work.connection.execute("select pg_relation_size(%s::regclass) / current_setting('block_size')::bigint", [relation]).fetchone()
    # To look a key up costs about what reading a page does.
    if work.kind == "snapshot" or pages is None or count_rows(work.session, "delivered") > pages[0]:
        return all_pairs(work.connection, relation, key)
    work.connection.execute("create temp table if not exists delivered_key (key uuid) on commit drop")
    work.connection.execute("truncate delivered_key")
    copy_in(work.session, f"select distinct {key} as key from delivered where {key} is not null", work.connection, "delivered_key")
    work.connection.execute("analyze delivered_key")
    return pairs_of(work.connection, relation, key, "delivered_key")
