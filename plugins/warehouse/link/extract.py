"""Bring identifiers into DuckDB as the table `raw_evidence`: from the vault for a night, from delivered files for training.

From the vault come all records, or those alone that have changed since an earlier night.

`raw_evidence` holds one row per vault row: record_key, feed, is_named, is_main, and one column per linkage role (text,
`dob` a date), null where the table has no such role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.model import Contract, Table
from warehouse.database import clean_errors, connect
from warehouse.link.roles import LINKAGE_ROLES, LinkTable, link_tables
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import quoted

if TYPE_CHECKING:
    import duckdb
    from psycopg import sql

RAW_EVIDENCE = f"""
create or replace table raw_evidence (
    record_key uuid, feed varchar, is_named boolean, is_main boolean,
    {", ".join(f"{role} {'date' if role == 'dob' else 'varchar'}" for role in LINKAGE_ROLES)}
)"""

TOUCHED = "create or replace table touched_record (record_key uuid)"

# The admitted deliveries that the vault was made of on a night, by feed. A delivery that came late, was replaced, withdrawn or
# checked again under another contract changes what is told of the nights after it.
DELIVERIES_SEEN = """
select feed, string_agg(concat_ws(':', delivery_id, night, contract_hash), ' ' order by night, delivery_id)
from ops.delivery
where status = 'admitted' and night <= %s
group by feed
"""

AGENCY_ID = "create or replace table agency_id (record_key uuid, feed varchar, agency_key varchar)"


def from_vault(session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], night: date, folder: Path) -> None:
    """Fill `raw_evidence` with the vault as it stood on a night, by way of private files in `folder`.

    Raises:
        DatabaseFault: the vault could not be read.
    """
    session.execute(RAW_EVIDENCE).fetchall()
    with clean_errors("read the vault"), connect("linker") as connection:
        for table in link_tables(contracts):
            if connection.execute("select to_regclass(%s)", [f"vault.{table.relation}"]).fetchone() == (None,):
                continue
            path = folder / f"{table.relation}.csv"
            copy_out(connection, _identifiers(table, night), path)
            _load_file(session, table, path)
            path.unlink()


def deliveries_seen(night: date) -> dict[str, str]:
    """By feed, the deliveries that the vault as it stood on a night is made of, as a text that changes when they do.

    Raises:
        DatabaseFault: the database refused.
    """
    with clean_errors("see which deliveries the vault is made of"), connect("linker") as connection:
        return dict(connection.execute(DELIVERIES_SEEN, [night]).fetchall())


def changes_from_vault(
    session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], since: date, night: date, anew: Collection[str], folder: Path
) -> None:
    """Fill `raw_evidence` with the records of the vault that may have changed after one night and up to another, as they stood on the latter.

    Also makes `touched_record` (record_key): these records, and those that may have gone.

    Args:
        since: the earlier night.
        anew: feeds to read whole, because what the vault says of the earlier night is not what it said then.
        folder: where private files on their way may lie.

    Raises:
        DatabaseFault: the vault could not be read.
    """
    session.execute(RAW_EVIDENCE).fetchall()
    session.execute(TOUCHED).fetchall()
    tables = link_tables(contracts)
    with clean_errors("read the changes of the vault"), connect("linker") as connection:
        held = [table for table in tables if connection.execute("select to_regclass(%s)", [f"vault.{table.relation}"]).fetchone() != (None,)]
        connection.execute("create temp table touched (feed text, record_key uuid) on commit drop")
        for table in held:
            if table.feed not in anew:
                connection.execute(_touched(table, since, night))
        connection.execute("insert into touched select feed, record_key from ops.erasure where key_name = 'record_key'")
        connection.execute("analyze touched")
        path = folder / "touched.csv"
        copy_out(connection, _all_touched(), path)
        _load_keys(session, path)
        for table in held:
            path = folder / f"{table.relation}.csv"
            copy_out(connection, _identifiers(table, night, only_touched=table.feed not in anew), path)
            _load_file(session, table, path)
            path.unlink()


def _touched(table: LinkTable, since: date, night: date) -> sql.Composed:
    """Note the records of a vault table that have other rows on a night than they had on an earlier one.

    A date of birth after the earlier night was no evidence then (see `clean_dob`), and may be now.
    """
    from psycopg import sql

    born = sql.Identifier(table.columns["dob"]) if "dob" in table.columns else sql.SQL("null::date")
    return sql.SQL(
        "insert into touched select distinct {feed}, record_key from {relation}"
        " where _valid_from > {since} and _valid_from <= {night} or _valid_to > {since} and _valid_to <= {night} or {born} > {since}"
    ).format(feed=sql.Literal(table.feed), relation=sql.Identifier("vault", table.relation), since=sql.Literal(since), night=sql.Literal(night), born=born)


def _all_touched() -> sql.SQL:
    from psycopg import sql

    return sql.SQL("select distinct record_key from touched")


def _load_keys(session: duckdb.DuckDBPyConnection, path: Path) -> None:
    session.execute(
        f"insert into touched_record select record_key from read_csv({quoted(path)}, header = true, auto_detect = false, columns = {{'record_key': 'uuid'}})"
    ).fetchall()
    path.unlink()


def _identifiers(table: LinkTable, night: date, only_touched: bool = False) -> sql.Composed:
    """The identifiers of a vault table as they stood on a night, each under the name of its role."""
    from psycopg import sql

    columns = sql.SQL(", ").join(sql.SQL("{} as {}").format(sql.Identifier(c), sql.Identifier(role)) for role, c in table.columns.items())
    touched = sql.SQL(" and record_key in (select record_key from touched where feed = {})").format(sql.Literal(table.feed)) if only_touched else sql.SQL("")
    return sql.SQL(
        "select distinct record_key, {columns} from {relation} where _valid_from <= {night} and (_valid_to is null or _valid_to > {night}){touched}"
    ).format(columns=columns, relation=sql.Identifier("vault", table.relation), night=sql.Literal(night), touched=touched)


def _load_file(session: duckdb.DuckDBPyConnection, table: LinkTable, path: Path) -> None:
    types = {"record_key": "uuid"} | {role: "date" if role == "dob" else "varchar" for role in table.columns}
    session.execute(
        f"""
        insert into raw_evidence by name
        select *, ? as feed, ? as is_named, ? as is_main
        from read_csv({quoted(path)}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {types})
        """,
        [table.feed, table.is_named, table.is_main],
    ).fetchall()


def from_delivery(session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], inbox: Path) -> None:
    """Fill `raw_evidence` from the files of a first delivery (`<inbox>/<feed>/...`), for training and benchmarks.

    A first delivery holds every row once, so neither changes nor history need applying. Record keys are plain hashes:
    they live in this session alone. Also fills `agency_id` (record_key, feed, agency_key): the values of the key columns
    joined by a bar, to join the truth to.
    """
    contracts = list(contracts)
    session.execute(RAW_EVIDENCE).fetchall()
    session.execute(AGENCY_ID).fetchall()
    by_relation = {table.relation: (contract, table) for contract in contracts for table in contract.tables.values()}
    for link_table in link_tables(contracts):
        contract, table = by_relation[link_table.relation]
        files = sorted((inbox / contract.feed).glob(table.file))
        if files:
            _load_delivered(session, contract, table, link_table, files)


def _load_delivered(session: duckdb.DuckDBPyConnection, contract: Contract, table: Table, link_table: LinkTable, files: list[Path]) -> None:
    date_format = contract.format.date_format.replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")
    agency_key = "concat_ws('|', " + ", ".join(f'"{name}"' for name in table.keys["record_key"]) + ")"
    names = {column.field: column.name for column in table.columns}
    roles = ", ".join(
        f"try_strptime(\"{names[field]}\", '{date_format}')::date as dob" if role == "dob" else f'"{names[field]}" as {role}'
        for role, field in link_table.columns.items()
    )
    consent = f"\"{contract.consent.column}\" <> '{contract.consent.withheld}'" if contract.consent else "true"
    nulls = ", ".join("'" + token.replace("'", "''") + "'" for token in contract.format.null_tokens)
    session.execute(
        f"""
        create or replace temp table delivered as
        select distinct md5('{contract.feed}|' || {agency_key})::uuid as record_key, {agency_key} as agency_key, {roles}
        from read_csv(
            [{", ".join(quoted(path) for path in files)}], header = true, all_varchar = true, delim = '{contract.format.delimiter}',
            quote = '"', escape = '"', nullstr = [{nulls}]
        )
        where {consent}
        """
    ).fetchall()
    session.execute(
        "insert into raw_evidence by name select * exclude (agency_key), ? as feed, ? as is_named, ? as is_main from delivered",
        [link_table.feed, link_table.is_named, link_table.is_main],
    ).fetchall()
    if link_table.is_main:
        session.execute("insert into agency_id select distinct record_key, ?, agency_key from delivered", [link_table.feed]).fetchall()
    session.execute("drop table delivered").fetchall()
