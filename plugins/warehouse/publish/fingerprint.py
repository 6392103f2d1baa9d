"""Fingerprints of the published tables: has anything an analyst can see changed?"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from warehouse.database import clean_errors, connect
from warehouse.publish.catalogue import Relation, relations
from warehouse.publish.slots import LAYERS

# Columns by name and rows by a sum, so that neither the order of columns nor of rows matters. A sum, not an exclusive
# or, so that a row that comes twice does not cancel itself out.
FINGERPRINT = """
select count(*), md5(concat(sum(('x' || left(row_hash, 16))::bit(64)::bigint::numeric), ' ', sum(('x' || right(row_hash, 16))::bit(64)::bigint::numeric)))
from (select md5(row({columns})::text) as row_hash from {table}) hashed
"""

# One way of writing values, whatever the server's or the user's defaults are.
WRITING = """
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1
"""


def fingerprints(role: str = "analyst") -> dict[str, tuple[int, str]]:
    """Row count and content hash of every table in `marts` and `published`, as a role sees them.

    Returns:
        `layer.table` to (rows, hash). Equal hashes mean the same rows, in any order.

    Raises:
        DatabaseFault: the role may not read a table, or the database failed.
    """
    with clean_errors("fingerprint the marts"), connect(role) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute(WRITING)
        return {f"{layer}.{name}": _fingerprint(connection, layer, relation) for layer in LAYERS for name, relation in relations(connection, layer).items()}


def _fingerprint(connection: Connection[Any], layer: str, relation: Relation) -> tuple[int, str]:
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(column.name for column in relation.columns))
    query = sql.SQL(FINGERPRINT).format(columns=columns, table=sql.Identifier(layer, relation.name))
    row = connection.execute(query).fetchone()
    assert row is not None  # an aggregate without GROUP BY always gives one row
    return int(row[0]), str(row[1])
