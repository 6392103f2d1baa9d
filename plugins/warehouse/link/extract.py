"""Bring identifiers into DuckDB as the table `raw_evidence`: from the vault for a night, from delivered files for training.

`raw_evidence` holds one row per vault row: record_key, feed, is_named, is_main, and one column per linkage role (text,
`dob` a date), null where the table has no such role.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def _identifiers(table: LinkTable, night: date) -> sql.Composed:
    """The identifiers of a vault table as they stood on a night, each under the name of its role."""
    from psycopg import sql

    columns = sql.SQL(", ").join(sql.SQL("{} as {}").format(sql.Identifier(c), sql.Identifier(role)) for role, c in table.columns.items())
    return sql.SQL("select distinct record_key, {columns} from {relation} where _valid_from <= {night} and (_valid_to is null or _valid_to > {night})").format(
        columns=columns, relation=sql.Identifier("vault", table.relation), night=sql.Literal(night)
    )


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
