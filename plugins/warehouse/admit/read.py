"""Read a delivered file's rows as text into Parquet, with malformed rows set aside under their numbers.

DuckDB's parallel CSV reader does it where it is sure to see the same rows as the file has lines. Where it is not (quoted line
breaks, stray quotes, mixed line ends, or malformed rows among blank lines) the file is read once more, one row after the
other, by Python's CSV reader, which decides every such case; that is some ten times slower.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit.files import FileShape, fault, to_utf8
from warehouse.admit.ordered import write_in_order
from warehouse.contracts import thresholds
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Format, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

BLOCK_ROWS = 20_000
BUFFER_BYTES = 4_000_000  # of the file, for each thread; DuckDB takes 32 MB unless told
# Read as one line more, to see whether the file ends inside a quoted field; no file holds it (`files` refuses zero bytes).
END = "\0"
# The reader takes a field too many for none where it holds a null token: a row shifted by a stray delimiter would pass. So it
# is told of a token that no file holds, and the contract's own are looked for afterwards.
NO_TOKEN = "\x1fno value\x1f"
# Kinds of faults in a row about which DuckDB and a careful reading cannot differ.
SURE_FAULTS = {"MISSING COLUMNS", "TOO MANY COLUMNS"}


@dataclass(frozen=True)
class RawRows:
    """A table's rows as text, still without numbers.

    `rows` holds one row per well-formed row in the file's order, with the contract's columns in lower case (null where the
    file has a null token); `malformed` one row per malformed row: `_row_number BIGINT`, `fields VARCHAR[]`. `has_tabs`: whether
    values may have tabs or line ends round them, besides spaces.
    """

    rows: Path
    malformed: Path
    well_formed_count: int
    malformed_count: int
    has_tabs: bool


def read(path: Path, shape: FileShape, table: Table, form: Format, folder: Path, session: DuckDBPyConnection) -> RawRows:
    """Read one file into `folder`.

    Raises:
        FilesRefused: so many rows are malformed that the file is not what the contract describes, or it ends inside a row.
        duckdb.Error: the work folder's disk is full, or the like.
    """
    raw, malformed = folder / f"{table.name}.raw.parquet", folder / f"{table.name}.malformed.parquet"
    if shape.line_end != "mixed":
        text = to_utf8(path, form, folder / f"{table.name}.utf8")
        counts = _read_fast(text, shape, table, form, raw, malformed, session)
        if text != path:
            text.unlink()
        if counts is not None:
            return _within_limit(RawRows(raw, malformed, *counts, shape.has_tabs), path, shape, table)
    return _read_carefully(path, shape, table, form, raw, malformed)


def _read_fast(text: Path, shape: FileShape, table: Table, form: Format, raw: Path, malformed: Path, session: DuckDBPyConnection) -> tuple[int, int] | None:
    """Read with DuckDB; the number of well-formed and malformed rows, or None where another reader has to decide."""
    import duckdb

    session.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    quote = literal('"' if shape.quotes else "")
    names = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in _reader_names(shape.columns, table))
    reader = f"""
        read_csv({literal(str(text))}, auto_detect = false, header = false, skip = 1, columns = {{{names}}}, delim = {literal(form.delimiter)},
                 quote = {quote}, escape = {quote}, nullstr = {literal(NO_TOKEN)}, store_rejects = true, rejects_limit = 0, buffer_size = {BUFFER_BYTES})
    """
    try:
        well_formed = write_in_order(session, f"select {_contract_columns(shape.columns, table, form)} from {reader}", raw, len(table.columns))
    except duckdb.InvalidInputException:  # of the file's form: the careful reader tells what is wrong with it
        return None
    kinds = {kind for (kind,) in session.execute("select distinct error_type from reject_errors").fetchall()}
    ((set_aside,),) = session.execute("select count(distinct line) from reject_errors").fetchall()
    if not kinds <= SURE_FAULTS:
        return None
    if well_formed + set_aside != shape.lines - 1 and (set_aside or shape.quotes):
        return None
    session.execute(f"""
        copy (
            select line::bigint - 1 as _row_number, string_split(trim(any_value(csv_line), chr(13) || chr(10)), {literal(form.delimiter)}) as fields
            from reject_errors group by line order by line
        ) to {literal(str(malformed))} (format parquet)
    """)
    return well_formed, set_aside


def _reader_names(found: list[str], table: Table) -> list[str]:
    """A name for every column of the file: the contract's in lower case, and one of our own for a column that is not read."""
    fields = {column.name: column.field for column in table.columns}
    return [fields.get(name, f"_ignored_{place}") for place, name in enumerate(found)]


def _contract_columns(found: list[str], table: Table, form: Format) -> str:
    """The contract's columns in its order, null where there is a null token; those that the file lacks are empty."""
    tokens = " ".join(f"when {literal(token)} then null" for token in dict.fromkeys(["", *form.null_tokens]))

    def value(field: str) -> str:
        return f"case {field} {tokens} else {field} end"

    return ", ".join(f"{value(quoted(c.field)) if c.name in found else 'null::varchar'} as {quoted(c.field)}" for c in table.columns)


def _malformed_limit(shape: FileShape, table: Table) -> float:
    """How many malformed rows are too many."""
    share = thresholds.find("failing_share", table.feed, table.name)
    if share.severity != "refuse" or share.value is None:
        return float("inf")
    return max(thresholds.number("failing_floor", table.feed, table.name), share.value * shape.lines)


def _within_limit(found: RawRows, path: Path, shape: FileShape, table: Table) -> RawRows:
    limit = _malformed_limit(shape, table)
    if found.malformed_count > limit:
        message = f"more than {limit:.0f} rows do not have the {len(shape.columns)} fields of the header; check how {table.name} is exported"
        raise fault(path, table, "malformed_row", message)
    return found


def _read_carefully(path: Path, shape: FileShape, table: Table, form: Format, raw: Path, malformed: Path) -> RawRows:
    """Read row by row, in blocks, with a reader that takes a field's quotes and line breaks as they are."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    width, limit = len(shape.columns), _malformed_limit(shape, table)
    places = [shape.columns.index(c.name) if c.name in shape.columns else None for c in table.columns]
    schema = pa.schema([(c.field, pa.string()) for c in table.columns])
    tokens = set(form.null_tokens) | {""}
    aside: list[tuple[int, list[str]]] = []
    count = 0
    with path.open(encoding=form.encoding, newline="") as stream, pq.ParquetWriter(raw, schema) as writer:
        try:
            for block in _blocks(_well_formed(_numbered(stream, form.delimiter), width, aside, limit)):
                columns = list(zip(*block, strict=True))
                writer.write_batch(pa.record_batch([_texts(columns[p] if p is not None else None, len(block), tokens) for p in places], schema=schema))
                count += len(block)
        except csv.Error:
            raise fault(path, table, "truncated_file", "a quoted field of the file has no end; send the whole file again") from None
        except _EndsInside as inside:
            begin = f"row {inside.number}" if inside.number else "the header"
            raise fault(path, table, "truncated_file", f"the file ends inside a quoted field that begins in {begin}; send the whole file again") from None
    numbers, fields = [number for number, _ in aside], [fields for _, fields in aside]
    pq.write_table(pa.table({"_row_number": pa.array(numbers, pa.int64()), "fields": pa.array(fields, pa.list_(pa.string()))}), malformed)
    return _within_limit(RawRows(raw, malformed, count, len(aside), has_tabs=True), path, shape, table)


class _EndsInside(Exception):
    """The file ends inside a quoted field, which begins in the row of this number; 0 is the header."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


def _numbered(stream: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows after the header with their numbers; blank lines are not rows.

    Raises:
        _EndsInside: a quoted field is still open at the end of the file.
    """
    filled = (fields for fields in csv.reader(itertools.chain(stream, [END]), delimiter=delimiter) if fields)
    for number, fields in enumerate(filled):
        if fields == [END]:
            return
        if fields[-1].endswith(END):
            raise _EndsInside(number)
        if number:
            yield number, fields


def _well_formed(rows: Iterator[tuple[int, list[str]]], width: int, aside: list[tuple[int, list[str]]], limit: float) -> Iterator[list[str]]:
    """The rows of the right width; the others go to `aside`, until they are more than the limit."""
    for number, fields in rows:
        if len(fields) == width:
            yield fields
        else:
            aside.append((number, fields))
            if len(aside) > limit:
                return


def _blocks(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while block := list(itertools.islice(rows, BLOCK_ROWS)):
        yield block


def _texts(values: tuple[str, ...] | None, length: int, null_tokens: set[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if value in null_tokens else value for value in values] if values is not None else [None] * length, pa.string())
