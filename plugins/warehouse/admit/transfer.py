"""Sets of rows between DuckDB and Postgres, both ways in binary, without a loop over rows.

Into Postgres: binary COPY fed by DuckDB's Arrow batches. Out of it: pairs of uuids (a key and a hash), packed by Postgres
into one value for some thousand pages at a time, because a COPY out costs a message for each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from psycopg import Connection

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# About what fits into the buffers between the two: Postgres then works on one batch while the next is made.
BATCH_ROWS = 20_000
BLOCKS_AT_ONCE = 1_000  # pages of 8 kB: some 80 000 rows, 3 MB of pairs


def copy_in(
    session: duckdb.DuckDBPyConnection, query: str, connection: Connection[Any], relation: str, json_columns: tuple[str, ...] = (), is_new: bool = False
) -> int:
    """Add the rows of a DuckDB query to a Postgres relation; returns how many.

    Args:
        query: its columns carry the relation's column names and its types: a uuid as UUID, a smallint as SMALLINT and so on.
        json_columns: columns whose text is the JSON of a jsonb column.
        is_new: the relation was made or emptied in this very transaction. Its rows are then written as if they had always been
            there, which spares the first reader from rewriting every page.
    """
    import pgpq
    import pyarrow as pa
    from pgpq.encoders import StringEncoderBuilder
    from pgpq.schema import Jsonb

    # So that a uuid travels as its 16 bytes; booleans then come as bytes too, which COPY does not take.
    session.execute("set arrow_lossless_conversion = true").fetchall()
    reader = session.sql(query).to_arrow_reader(BATCH_ROWS)
    schema = pa.schema([field.with_type(pa.bool_()) if field.type == pa.bool8() else field for field in reader.schema])
    encoders = {field.name: pgpq.ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in schema}
    for name in json_columns:
        encoders[name] = StringEncoderBuilder.new_with_output(schema.field(name), Jsonb())
    encoder = pgpq.ArrowToPostgresBinaryEncoder.new_with_encoders(schema, encoders)
    columns = ", ".join(f'"{name}"' for name in schema.names)
    cursor = connection.cursor()
    options = "format binary, freeze" if is_new else "format binary"
    with cursor.copy(f"copy {relation} ({columns}) from stdin ({options})") as copy:
        copy.write(encoder.write_header())
        for batch in reader:
            copy.write(encoder.write_batch(batch.cast(schema)))
        copy.write(encoder.finish())
    return cursor.rowcount


def register_pairs(session: duckdb.DuckDBPyConnection, name: str, blocks: Iterable[bytes]) -> None:
    """Make packed pairs readable, once, as the DuckDB relation `name` (key UUID, hash UUID); they are fetched while it is read."""
    import pyarrow as pa

    schema = pa.schema([("key", pa.uuid()), ("hash", pa.uuid())])
    session.register(name, pa.RecordBatchReader.from_batches(schema, (_pairs(block, schema) for block in blocks)))


def fetch_keys(session: duckdb.DuckDBPyConnection, name: str, blocks: Iterable[bytes]) -> int:
    """Make the DuckDB table `name` (key UUID) of packed pairs; returns how many there are."""
    register_pairs(session, "packed", blocks)
    session.execute(f"create or replace table {name} as select key from packed").fetchall()
    session.unregister("packed")
    return count_rows(session, name)


def count_rows(session: duckdb.DuckDBPyConnection, relation: str) -> int:
    """How many rows a DuckDB relation has. (A result must be read to its end: an unread one blocks the connection.)"""
    (counted,) = session.execute(f"select count(*) from {relation}").fetchall()
    return int(counted[0])


def all_pairs(connection: Connection[Any], relation: str, key: str) -> Iterator[bytes]:
    """The key and hash of every current version, packed, by ranges of pages: each row is read once, whatever the table's size."""
    pages = connection.execute("select pg_relation_size(%s::regclass) / current_setting('block_size')::bigint", [relation]).fetchone()
    for start in range(0, int(pages[0]) if pages else 0, BLOCKS_AT_ONCE):
        bounds = [f"({start},0)", f"({start + BLOCKS_AT_ONCE},0)"]
        yield from _packed(connection, f"from {relation} where ctid >= %s::tid and ctid < %s::tid and _valid_to is null", key, bounds)


def pairs_of(connection: Connection[Any], relation: str, key: str, keys: str) -> Iterator[bytes]:
    """The key and hash of the current versions with a key in the Postgres relation `keys`, packed: found by index where keys are few."""
    return _packed(connection, f"from {relation} where _valid_to is null and {key} in (select key from {keys})", key, [])


def keys_of(connection: Connection[Any], rest: str, parameters: list[Any]) -> Iterator[bytes]:
    """The record keys of a query, `rest` being all of it after the select list, packed as pairs of a key and itself."""
    row = connection.cursor(binary=True).execute(f"select string_agg(uuid_send(record_key) || uuid_send(record_key), ''::bytea) {rest}", parameters).fetchone()
    if row is not None and row[0]:
        yield row[0]


def has_rows(connection: Connection[Any], relation: str) -> bool:
    """Whether a relation holds any row at all."""
    row = connection.execute(f"select exists (select from {relation})").fetchone()
    return row is not None and bool(row[0])


def _packed(connection: Connection[Any], rest: str, key: str, parameters: list[str]) -> Iterator[bytes]:
    statement = f"select string_agg(uuid_send({key}) || uuid_send(_row_hash), ''::bytea) {rest} and {key} is not null"
    row = connection.cursor(binary=True).execute(statement, parameters).fetchone()
    if row is not None and row[0]:
        yield row[0]


def _pairs(block: bytes, schema: pa.Schema) -> pa.RecordBatch:
    import numpy as np
    import pyarrow as pa

    halves = np.frombuffer(block, dtype=[("key", "V16"), ("hash", "V16")])
    columns = [
        pa.ExtensionArray.from_storage(
            pa.uuid(), pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(halves), [None, pa.py_buffer(np.ascontiguousarray(halves[name]))])
        )
        for name in ("key", "hash")
    ]
    return pa.record_batch(columns, schema=schema)
