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

from warehouse.admit import checkpoint
from warehouse.admit.difference import TableWork, find_source_difference, find_vault_difference
from warehouse.admit.transfer import count_rows, fetch_keys, keys_of
from warehouse.admit.zone_erasure import shared_keys
from warehouse.contracts.ddl import literal

OUTCOMES = ("erased", "quarantined", "changed", "repeated", "written", "identified", "deleted", "unchanged", "gone")


def decide(work: TableWork) -> dict[str, int]:
    """Make DuckDB's view `decided`, and `ending` and `ending_identity` beside it; returns the number of rows by outcome.

    `decided`: one row per row of the file, with all its columns, its `outcome`, and whether it `brings_identity`.
    `ending`: the keys (`key`) of the source versions that end. `ending_identity`: `key` and, where the key alone does not
    tell, `hash` of the vault's versions that end.

    Raises:
        duckdb.Error: a file of the checkpoint is not what it should be.
        psycopg.Error: the database refused.
    """
    for name, path in (("delivered", checkpoint.rows), ("refused", checkpoint.refused), ("repeated", checkpoint.repeated)):
        work.session.execute(f"create view {name} as select * from read_parquet({literal(str(path(work.delivery.delivery_id, work.table.name)))})").fetchall()
    _fetch_erased(work)
    has_source = find_source_difference(work)
    has_vault = work.grain is not None and find_vault_difference(work)
    work.session.execute(f"create view decided as {_decided(work, has_source, has_vault)}").fetchall()
    work.session.execute(f"create view ending as {_ending(has_source)}").fetchall()
    work.session.execute(f"create view ending_identity as {_ending_identity(work, has_vault)}").fetchall()
    counted = dict(work.session.execute("select outcome, count(*) from decided group by outcome").fetchall())
    if has_source:
        counted["gone"] = count_rows(work.session, "source_difference where _row_number is null")
    return {outcome: counted.get(outcome, 0) for outcome in OUTCOMES}


def _decided(work: TableWork, has_source: bool, has_vault: bool) -> str:
    source = "left join source_difference as source on source._row_number = delivered._row_number" if has_source else ""
    vault = "left join vault_difference as vault on vault._row_number = delivered._row_number" if has_vault else ""
    differs = "source._row_number is not null" if has_source else "true"
    is_known = "coalesce(source.is_known, true)" if has_source else "false"
    brings = f"delivered._identity_hash is not null{' and vault._row_number is not null' if has_vault else ''}"
    return f"""
        select * exclude (is_erased, is_refused, is_repeated, is_known, differs),
               case when is_erased then 'erased'
                    when is_refused then 'quarantined'
                    when is_repeated then 'repeated'
                    when _deleted then case when is_known then 'deleted' else 'unchanged' end
                    when {"is_known and (differs or brings_identity)" if work.kind == "events" else "false"} then 'changed'
                    when differs then 'written'
                    when brings_identity then 'identified'
                    else 'unchanged' end as outcome,
               is_known and outcome in ('written', 'deleted') as ends_source
        from (
            select delivered.*, {_is_erased(work)} as is_erased, refused._row_number is not null as is_refused,
                   repeated._row_number is not null as is_repeated, {differs} as differs, {is_known} as is_known, {brings} as brings_identity,
                   {"vault.key" if has_vault else "null::uuid"} as known_identity
            from delivered
            left join (select _row_number from refused) as refused on refused._row_number = delivered._row_number
            left join repeated on repeated._row_number = delivered._row_number
            {source} {vault}
        )
    """


def _ending(has_source: bool) -> str:
    if not has_source:
        return "select null::uuid as key where false"
    return "select row_key as key from decided where ends_source union all select gone from source_difference where _row_number is null"


def _ending_identity(work: TableWork, has_vault: bool) -> str:
    """Identifiers replaced or deleted by changes, and those a snapshot no longer holds; events only ever add.

    A record with a row refused from a snapshot keeps what it had: the row may be where its identifiers came from.
    """
    if not has_vault or work.kind == "events":
        return "select null::uuid as key, null::uuid as hash where false"
    if work.kind == "changes":
        return """
            select distinct known_identity as key, null::uuid as hash from decided
            where known_identity is not null and outcome in ('written', 'identified', 'deleted')
        """
    return """
        select key, hash from vault_difference
        where _row_number is null and key not in (select record_key from decided where outcome = 'quarantined' and record_key is not null)
    """


def _fetch_erased(work: TableWork) -> None:
    """The keys whose rows may not be kept on this night, as `erased`; of those in `erased_but_withheld` rows without consent may.

    Consent withdrawn on a night asks that earlier nights bring nothing but what the contract keeps; from that night on the
    deliveries themselves say what may be kept.
    """
    active = "from ops.erasure where feed = %s and lifted_at is null"
    wholly = f"{active} and reason = 'erasure request'"
    but_withheld = f"{active} and reason = 'consent withdrawn' and requested_on > %s"
    fetch_keys(work.session, "erased", keys_of(work.connection, wholly, [work.delivery.feed]))
    fetch_keys(work.session, "erased_but_withheld", keys_of(work.connection, but_withheld, [work.delivery.feed, work.delivery.night]))


def _is_erased(work: TableWork) -> str:
    """Whether one of the row's keys is erased: the record's own, or that of what only erased records belong to."""
    parts = []
    for key in shared_keys(work.table):
        if count_rows(work.session, "erased"):
            parts.append(f"delivered.{key} in (select key from erased)")
        if count_rows(work.session, "erased_but_withheld"):
            parts.append(f"not delivered._withheld and delivered.{key} in (select key from erased_but_withheld)")
    return f"coalesce({' or '.join(parts)}, false)" if parts else "false"
