"""What becomes of each row of a checked table, decided once, in DuckDB, against the versions that are current in Postgres.

| outcome     | meaning                                                              | counted as  |
|-------------|----------------------------------------------------------------------|-------------|
| erased      | the data of its record have been erased from the feed                | erased      |
| quarantined | it broke a rule of that severity                                     | quarantined |
| changed     | an event that is known with other content                            | quarantined |
| repeated    | it repeats an earlier row of the file                                | unchanged   |
| written     | its attributes are new or differ from the current version            | admitted    |
| identified  | only its identifiers are new or differ                               | admitted    |
| deleted     | a deletion of a row that is current                                  | admitted    |
| unchanged   | the same as the current version, or a deletion of what is not there  | unchanged   |
| gone        | no row, but a current version that a snapshot no longer holds        | closed      |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from warehouse.admit import checkpoint
from warehouse.admit.deliveries import Delivery
from warehouse.admit.transfer import all_pairs, copy_in, count_rows, fetch_pairs, keys_of, pairs_of
from warehouse.admit.zone_erasure import shared_keys
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import vault_grain

if TYPE_CHECKING:
    import duckdb

OUTCOMES = ("erased", "quarantined", "changed", "repeated", "written", "identified", "deleted", "unchanged", "gone")
DECISION = ("_row_number", "outcome", "ends_source", "ends_vault", "brings_identity")


@dataclass(frozen=True)
class TableWork:
    """One table of a delivery while it is admitted, with the two connections it is worked on."""

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


def decide(work: TableWork) -> dict[str, int]:
    """Make the DuckDB relations `decision` and `decided`, in a session of the table's own; returns the number of rows by outcome.

    `decision`: one row per row of the file and, for a snapshot, per version that is gone: `_row_number` (null for those
    gone), `outcome`, `ends_source` (the key of the source version it ends, or null), `ends_vault` (the same of the vault,
    for changes), `brings_identity`. `decided`: the same beside every column of the file's rows.

    Raises:
        duckdb.Error: a file of the checkpoint is not what it should be.
        psycopg.Error: the database refused.
    """
    _read_checkpoint(work)
    _fetch_erased(work)
    if _fetch_current(work):
        work.session.execute(f"create table decision as select {', '.join(DECISION)} from ({_compared(work)})").fetchall()
        work.session.execute(
            "create view decided as select delivered.*, decision.* exclude (_row_number) from delivered join decision using (_row_number)"
        ).fetchall()
    else:  # nothing to compare with: the answer is cheaper to ask again than to keep
        work.session.execute(f"create view decided as {_compared(work)}").fetchall()
        work.session.execute(f"create view decision as select {', '.join(DECISION)} from decided").fetchall()
    counted = dict(work.session.execute("select outcome, count(*) from decision group by outcome").fetchall())
    return {outcome: counted.get(outcome, 0) for outcome in OUTCOMES}


def _read_checkpoint(work: TableWork) -> None:
    """Views on the files of the checkpoint."""
    for name, path in (("delivered", checkpoint.rows), ("refused", checkpoint.refused), ("repeated", checkpoint.repeated)):
        work.session.execute(f"create view {name} as select * from read_parquet({literal(str(path(work.delivery.delivery_id, work.table.name)))})").fetchall()


def _fetch_current(work: TableWork) -> bool:
    """Bring the current versions into DuckDB: `current` of the source zone, `known` of the vault (key, hash); whether there are any."""
    found = _fetch_pairs(work, "current", work.source, "row_key")
    if work.grain is None:
        work.session.execute("create table known (key uuid, hash uuid)").fetchall()
        return bool(found)
    return bool(found + _fetch_pairs(work, "known", work.vault, work.vault_key))


def _fetch_pairs(work: TableWork, name: str, relation: str, key: str) -> int:
    """All current versions for a snapshot, which must know what is missing; of a delivery with few rows only those with its keys."""
    pages = work.connection.execute("select pg_relation_size(%s::regclass) / current_setting('block_size')::bigint", [relation]).fetchone()
    # To look a key up costs about what reading a page does.
    if work.kind == "snapshot" or pages is None or count_rows(work.session, "delivered") > pages[0]:
        return fetch_pairs(work.session, name, all_pairs(work.connection, relation, key))
    work.connection.execute("create temp table if not exists delivered_key (key uuid) on commit drop")
    work.connection.execute("truncate delivered_key")
    copy_in(work.session, f"select distinct {key} as key from delivered where {key} is not null", work.connection, "delivered_key")
    work.connection.execute("analyze delivered_key")
    return fetch_pairs(work.session, name, pairs_of(work.connection, relation, key, "delivered_key"))


def _fetch_erased(work: TableWork) -> None:
    """The keys whose rows may not be kept on this night, as `erased`; of those in `erased_but_withheld` rows without consent may.

    Consent withdrawn on a night asks that earlier nights bring nothing but what the contract keeps; from that night on the
    deliveries themselves say what may be kept.
    """
    active = "from ops.erasure where feed = %s and lifted_at is null"
    wholly = f"{active} and reason = 'erasure request'"
    but_withheld = f"{active} and reason = 'consent withdrawn' and requested_on > %s"
    fetch_pairs(work.session, "erased", keys_of(work.connection, wholly, [work.delivery.feed]))
    fetch_pairs(work.session, "erased_but_withheld", keys_of(work.connection, but_withheld, [work.delivery.feed, work.delivery.night]))


def _compared(work: TableWork) -> str:
    """The rows of the file beside what is current, with what becomes of them."""
    by = {"changes": f"known.key = marked.{work.vault_key}"}.get(work.kind, f"known.key = marked.{work.vault_key} and known.hash = marked._identity_hash")
    if work.grain is None:
        by = "false"
    return f"""
        select * exclude (known_key, identity_hash),
               case when outcome in ('written', 'deleted', 'gone') then known_key end as ends_source,
               case when outcome in ('written', 'identified', 'deleted') and identity_hash is distinct from _identity_hash then identity_key end as ends_vault
        from (
            select marked.* exclude (is_erased, is_refused, is_repeated), current.key as known_key, known.key as identity_key, known.hash as identity_hash,
                   marked._identity_hash is not null and known.hash is distinct from marked._identity_hash as brings_identity,
                   {_outcome(work)}::varchar as outcome
            from ({_marked(work)}) as marked
            {"full" if work.kind == "snapshot" else "left"} join current on current.key = marked.row_key
            left join known on {by}
        )
    """


def _marked(work: TableWork) -> str:
    return f"""
        select delivered.*, {_is_erased(work)} as is_erased, refused._row_number is not null as is_refused, repeated._row_number is not null as is_repeated
        from delivered
        left join refused on refused._row_number = delivered._row_number
        left join repeated on repeated._row_number = delivered._row_number
    """


def _is_erased(work: TableWork) -> str:
    """Whether one of the row's keys is erased: the record's own, or that of what only erased records belong to."""
    keys = shared_keys(work.table)
    parts = [f"delivered.{key} in (select key from erased)" for key in keys if count_rows(work.session, "erased")]
    parts += [
        f"not delivered._withheld and delivered.{key} in (select key from erased_but_withheld)"
        for key in keys
        if count_rows(work.session, "erased_but_withheld")
    ]
    return f"coalesce({' or '.join(parts)}, false)" if parts else "false"


def _outcome(work: TableWork) -> str:
    brings = "(marked._identity_hash is not null and known.hash is distinct from marked._identity_hash)"
    changed = f"when current.key is not null and (current.hash <> marked._row_hash or {brings}) then 'changed'" if work.kind == "events" else ""
    return f"""
        case when marked._row_number is null then 'gone'
             when marked.is_erased then 'erased'
             when marked.is_refused then 'quarantined'
             when marked.is_repeated then 'repeated'
             when marked._deleted then case when current.key is null then 'unchanged' else 'deleted' end
             {changed}
             when current.hash is distinct from marked._row_hash then 'written'
             when {brings} then 'identified'
             else 'unchanged' end
    """
