"""A feed as it stood after the deliveries of a past night: how many rows each table had, and the rows themselves; and the links after a night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

from psycopg import sql

from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Table
from warehouse.contracts.zones import source_columns
from warehouse.database import clean_errors, connect
from warehouse.link.models import Certainty

VALID = sql.SQL("_valid_from <= {night} and (_valid_to is null or _valid_to > {night})")
IN_USE = "select last_delivery_id, last_night, coverage_end from ops.feed_coverage_as_at(%s) where feed = %s"


def summary(feed: str, night: date) -> list[dict[str, Any]]:
    """One row per table of the feed: rows that were current after the night, and the newest delivery in use.

    Raises:
        ContractError: there is no such feed.
        DatabaseFault: the database could not be asked.
    """
    contract = load_contract(feed)
    with clean_errors(f"read how {feed} stood on {night}"), connect("transformer") as connection:
        delivery_id, last_night, coverage_end = connection.execute(IN_USE, [night, feed]).fetchone() or (None, None, None)
        found = []
        for table in contract.tables.values():
            query = sql.SQL("select count(*) from {} where {}").format(_source(table), VALID.format(night=sql.Literal(night)))
            row = connection.execute(query).fetchone()
            counted = {"table_name": table.name, "rows_current": row[0] if row else 0}
            found.append(counted | {"delivery_id": delivery_id, "last_night": last_night, "coverage_end": coverage_end})
    return found


def rows(feed: str, table: str, night: date) -> Iterator[bytes]:
    """The rows of a table that were current after a night, as CSV with a header: keys and attributes, no identifiers.

    Raises:
        ContractError: there is no such feed.
        ValueError: the feed has no such table.
        DatabaseFault: the database could not be asked.
    """
    tables = load_contract(feed).tables
    if table not in tables:
        raise ValueError(f"{feed} has no table '{table}'. Tables: {', '.join(tables)}")
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in source_columns(tables[table]))
    query = sql.SQL("copy (select {} from {} where {} order by row_key) to stdout with (format csv, header)").format(
        columns, _source(tables[table]), VALID.format(night=sql.Literal(night))
    )
    with clean_errors(f"read how {feed}.{table} stood on {night}"), connect("transformer") as connection, connection.cursor().copy(query) as blocks:
        yield from map(bytes, blocks)


def links(night: date, certainty: str = "balanced") -> Iterator[bytes]:
    """The person that each agency record belonged to after a night, as CSV with a header: record_key, feed, person_id.

    Raises:
        ValueError: there is no such certainty.
        DatabaseFault: the database could not be asked.
    """
    if certainty not in get_args(Certainty):
        raise ValueError(f"There is no certainty '{certainty}'. Certainties: {', '.join(get_args(Certainty))}")
    query = sql.SQL("copy (select * from linkage.person_link_as_at({}, {}) order by record_key) to stdout with (format csv, header)").format(
        sql.Literal(night), sql.Literal(certainty)
    )
    with clean_errors(f"read the links of {night}"), connect("transformer") as connection, connection.cursor().copy(query) as blocks:
        yield from map(bytes, blocks)


def _source(table: Table) -> sql.Identifier:
    return sql.Identifier("source", table.relation)
