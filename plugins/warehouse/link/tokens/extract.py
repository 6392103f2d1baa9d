"""Bring tokens into DuckDB as the table `raw_token`: from the vault for a night, from delivered files for benchmarks.

`raw_token` holds one row per vault row: record_key, feed, is_named, is_main, and one text column per token role. All feeds that
deliver tokens must have been tokenised with one key by one version of the tool.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from warehouse.contracts.ddl import literal
from warehouse.contracts.model import TOKEN_SUFFIX, Contract, Role, Table
from warehouse.contracts.zones import vault_grain
from warehouse.database import clean_errors, connect
from warehouse.link.errors import LinkageFault
from warehouse.link.extract import AGENCY_ID
from warehouse.link.tokens.contract import is_token
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import quoted

if TYPE_CHECKING:
    import duckdb
    from psycopg import sql

COLUMNS = tuple(role for role in get_args(Role) if role.endswith(TOKEN_SUFFIX) or role == "token_set")
RAW_TOKEN = f"""
create or replace table raw_token (
    record_key uuid, feed varchar, is_named boolean, is_main boolean, {", ".join(f"{role} varchar" for role in COLUMNS)}
)"""


@dataclass(frozen=True)
class TokenTable:
    """One vault table of tokens: `columns` maps each token role to the column that plays it."""

    feed: str
    table: Table
    columns: dict[str, str]
    is_main: bool
    is_named: bool


def token_tables(contracts: Iterable[Contract]) -> list[TokenTable]:
    """The vault tables of tokens, in order of their names. Records are named when a table of theirs holds surnames."""
    found = [
        (contract, table, {str(c.role): c.name for c in table.columns if is_token(c)})
        for contract in contracts
        for table in contract.tables.values()
        if any(is_token(c) for c in table.columns)
    ]
    named = {_population(table) for _, table, columns in found if "surname_token" in columns}
    tables = [
        TokenTable(contract.feed, table, columns, vault_grain(contract, table) == "record", _population(table) in named) for contract, table, columns in found
    ]
    return sorted(tables, key=lambda one: one.table.relation)


def from_vault(session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], night: date, folder: Path) -> None:
    """Fill `raw_token` with the vault as it stood on a night, by way of private files in `folder`.

    Raises:
        DatabaseFault: the vault could not be read.
        LinkageFault: feeds were tokenised with different keys or versions.
    """
    session.execute(RAW_TOKEN).fetchall()
    with clean_errors("read the vault"), connect("linker") as connection:
        for one in token_tables(contracts):
            if connection.execute("select to_regclass(%s)", [f"vault.{one.table.relation}"]).fetchone() == (None,):
                continue
            path = folder / f"{one.table.relation}.csv"
            copy_out(connection, _tokens(one, night), path)
            types = {"record_key": "uuid"} | dict.fromkeys(one.columns, "varchar")
            _insert(session, one, f"read_csv({quoted(path)}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {types})")
            path.unlink()
    check_token_sets(session)


def _tokens(one: TokenTable, night: date) -> sql.Composed:
    """The tokens of a vault table as they stood on a night, each under the name of its role."""
    from psycopg import sql

    columns = sql.SQL(", ").join(sql.SQL("{} as {}").format(sql.Identifier(name.lower()), sql.Identifier(role)) for role, name in one.columns.items())
    return sql.SQL("select distinct record_key, {columns} from {relation} where _valid_from <= {night} and (_valid_to is null or _valid_to > {night})").format(
        columns=columns, relation=sql.Identifier("vault", one.table.relation), night=sql.Literal(night)
    )


def from_delivery(session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], inbox: Path) -> None:
    """Fill `raw_token` from the files of a first delivery (`<inbox>/<feed>/...`), and `agency_id` as `link.extract` does.

    Args:
        contracts: of the tokenised feeds.

    Raises:
        LinkageFault: feeds were tokenised with different keys or versions.
    """
    contracts = list(contracts)
    by_feed = {contract.feed: contract for contract in contracts}
    session.execute(RAW_TOKEN).fetchall()
    session.execute(AGENCY_ID).fetchall()
    for one in token_tables(contracts):
        contract = by_feed[one.feed]
        for path in sorted((inbox / one.feed).glob(one.table.file)):
            agency_key = "concat_ws('|', " + ", ".join(f'"{name}"' for name in one.table.keys["record_key"]) + ")"
            columns = ", ".join(f'"{name}" as {role}' for role, name in one.columns.items())
            consent = f'"{contract.consent.column}" <> {literal(contract.consent.withheld)}' if contract.consent else "true"
            session.execute(
                f"""
                create or replace temp table delivered as
                select distinct md5({literal(one.feed + "|")} || {agency_key})::uuid as record_key, {agency_key} as agency_key, {columns}
                from read_csv({quoted(path)}, header = true, all_varchar = true, delim = {literal(contract.format.delimiter)}, quote = '"', escape = '"')
                where {consent}
                """
            ).fetchall()
            _insert(session, one, "(select * exclude (agency_key) from delivered)")
            if one.is_main:
                session.execute("insert into agency_id select distinct record_key, ?, agency_key from delivered", [one.feed]).fetchall()
    check_token_sets(session)


def check_token_sets(session: duckdb.DuckDBPyConnection) -> None:
    """Make sure that all tokens can be compared.

    Raises:
        LinkageFault: they were made with different keys or by different versions of the tool.
    """
    sets = session.execute(
        "select token_set, string_agg(distinct feed, ', ' order by feed) from raw_token where token_set is not null group by token_set order by token_set"
    ).fetchall()
    if len(sets) > 1:
        said = "; ".join(f"{name}: {feeds}" for name, feeds in sets)
        raise LinkageFault(f"Feeds were tokenised with different keys or versions, so their tokens never agree ({said}). Ask the agencies for one key")


def _insert(session: duckdb.DuckDBPyConnection, one: TokenTable, rows: str) -> None:
    session.execute(
        f"insert into raw_token by name select *, ? as feed, ? as is_named, ? as is_main from {rows}", [one.feed, one.is_named, one.is_main]
    ).fetchall()


def _population(table: Table) -> tuple[str, ...]:
    return (table.feed, *table.keys["record_key"])
