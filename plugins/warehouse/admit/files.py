"""The file phase: is a delivered file whole, readable text with exactly the contract's columns? Reads it once, in blocks."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from pathlib import Path

from warehouse.contracts.model import Format, Table

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 1 << 20
PRINTABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,44}")


class FileFault(Exception):
    """A file cannot be loaded at all. `rule` is the rule it broke; the message says what is wrong and what to do, without values."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


@dataclass(frozen=True)
class FileShape:
    """What one reading of a file's bytes tells: its lines (the header included) and double quotes."""

    lines: int
    quotes: int


def inspect(path: Path, table: Table, form: Format) -> FileShape:
    """Check a file before loading it.

    Raises:
        FileFault: empty, not text in the contract's encoding, other columns than the contract's, or cut off in a row.
    """
    if path.stat().st_size == 0:
        raise FileFault("empty_file", "the file is empty; send it with its header, and with its rows")
    shape = _read_through(path, form)
    with path.open("rb") as stream:
        _check_header(stream.readline(LONGEST_LINE), table, form)
    _check_end(path, table, form)
    return shape


def _read_through(path: Path, form: Format) -> FileShape:
    """Decode the whole file and count its lines and quotes."""
    decoder = codecs.getincrementaldecoder(form.encoding)()
    newlines = returns = quotes = 0
    last = b""
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            _check_block(decoder, block, newlines, form)
            newlines += block.count(b"\n")
            returns += block.count(b"\r")
            quotes += block.count(b'"')
            last = block[-1:]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise FileFault("encoding", f"the file ends in the middle of a character of {form.encoding}; send the whole file again") from None
    ends = newlines or returns
    return FileShape(lines=ends if last in (b"\n", b"\r") else ends + 1, quotes=quotes)


def _check_block(decoder: codecs.IncrementalDecoder, block: bytes, lines_before: int, form: Format) -> None:
    if b"\0" in block:
        line = lines_before + block[: block.index(b"\0")].count(b"\n") + 1
        raise FileFault("encoding", f"line {line} holds a zero byte, so this is not a text file in {form.encoding}")
    try:
        decoder.decode(block)
    except UnicodeDecodeError as error:
        line = lines_before + block[: error.start].count(b"\n") + 1
        raise FileFault("encoding", f"line {line} is not text in {form.encoding}; export the file in {form.encoding}") from None


def _check_header(line: bytes, table: Table, form: Format) -> None:
    text = line.decode(form.encoding, errors="ignore").removeprefix("\ufeff")
    found = next(csv.reader(re.split("[\r\n]", text)[:1], delimiter=form.delimiter), [])
    expected = [c.name for c in table.columns]
    if found != expected:
        raise FileFault("header", _difference(expected, found))


def _difference(expected: list[str], found: list[str]) -> str:
    """How a header differs from the contract's columns.

    A file without a header has people's values in its first line, so names that are not in the contract are told only
    when most of the contract's are there.
    """
    missing = [name for name in expected if name not in found]
    if len(missing) > len(expected) / 2:
        return f"the first line is not a header: {len(missing)} of the {len(expected)} columns are not in it; send the file with its header"
    new = [name for name in found if name not in expected]
    renamed = {}
    if len(expected) == len(found):
        renamed = {old: other for old, other in zip(expected, found, strict=True) if old in missing and other in new}
    parts = [f"renamed: {old} is now {_shown(other)}" for old, other in renamed.items()]
    parts += [f"missing: {name}" for name in missing if name not in renamed]
    parts += [f"new: {_shown(name)}" for name in new if name not in renamed.values()]
    twice = sorted({name for name in found if found.count(name) > 1 and name in expected})
    parts += [f"twice: {name}" for name in twice]
    if not parts:
        moved = [name for name, other in zip(expected, found, strict=True) if name != other]
        parts = [f"reordered: {', '.join(moved)}"]
    return f"the columns are not the contract's ({'; '.join(parts)}); send the agreed columns, or agree a change to the contract"


def _shown(name: str) -> str:
    return name if PRINTABLE_NAME.fullmatch(name) else "a column with an unusual name"


def _check_end(path: Path, table: Table, form: Format) -> None:
    """A last line without line end and with too few fields was cut off."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - LONGEST_LINE))
        tail = stream.read()
    last = max(tail.rfind(b"\n"), tail.rfind(b"\r"))
    fragment = tail[last + 1 :]
    if not fragment or fragment.count(b'"') % 2:  # nothing after the last line end, or only part of a quoted field
        return
    fields = next(csv.reader([fragment.decode(form.encoding, errors="ignore")], delimiter=form.delimiter), [])
    if last >= 0 and len(fields) < len(table.columns):
        raise FileFault("truncated_file", f"the last line has {len(fields)} of {len(table.columns)} fields and no line end; send the whole file again")
