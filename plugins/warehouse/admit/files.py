"""The file phase: is a delivered file whole, readable text with the contract's columns? Reads it once, in blocks."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from warehouse.admit.deliveries import Finding
from warehouse.admit.errors import DeliveryRefused
from warehouse.admit.header import header_findings
from warehouse.contracts import thresholds
from warehouse.contracts.model import Format, Table

BLOCK_BYTES = 1 << 20
LONGEST_LINE = 1 << 20

LineEnd = Literal["\n", "\r\n", "\r", "mixed"]


class FilesRefused(DeliveryRefused):
    """A file of the delivery cannot be loaded; `findings` say why, one or more of them with severity refuse."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("; ".join(finding.message for finding in findings if finding.refuses))


@dataclass(frozen=True)
class FileShape:
    """What one reading of a file's bytes tells.

    Attributes:
        columns: the fields of the header, in the file's order.
        lines: lines that hold something, the header included; blank lines at the end are not counted.
        quotes: double quotes anywhere in the file.
        line_end: what ends its lines.
        has_tabs: whether a tab occurs other than as the delimiter.
        findings: what may be told of the file without refusing it.
    """

    columns: list[str]
    lines: int
    quotes: int
    line_end: LineEnd
    has_tabs: bool
    findings: list[Finding]


def inspect(path: Path, table: Table, form: Format) -> FileShape:
    """Check a file before loading it.

    Raises:
        FilesRefused: empty, of an implausible size, not text in the contract's encoding, without columns that must be there,
            or cut off in a row.
    """
    findings = _size_findings(path, table)
    counted = _read_through(path, table, form)
    with path.open("rb") as stream:
        columns = _header(stream.readline(LONGEST_LINE), form)
    findings += [_in_file(path, finding) for finding in header_findings([c.name for c in table.columns], columns, table.feed, table.name)]
    if any(finding.refuses for finding in findings):
        raise FilesRefused(findings)
    blank_at_end = _check_end(path, len(columns), table, form)
    ends = counted.newlines or counted.returns
    return FileShape(
        columns=columns,
        lines=(ends if counted.last in (b"\n", b"\r") else ends + 1) - blank_at_end,
        quotes=counted.quotes,
        line_end=_line_end(counted),
        has_tabs=counted.has_tabs and (form.delimiter != "\t" or counted.quotes > 0),
        findings=findings,
    )


def fault(path: Path, table: Table, rule: str, message: str) -> FilesRefused:
    """What is wrong with a file, as the one finding that refuses its delivery."""
    return FilesRefused([Finding(table.name, rule, None, "refuse", None, 1, f"{path.name}: {message}")])


def to_utf8(path: Path, form: Format, target: Path) -> Path:
    """The file as UTF-8: itself, or a copy at `target` where the contract gives another encoding."""
    if codecs.lookup(form.encoding).name == "utf-8":
        return path
    with path.open(encoding=form.encoding, newline="") as stream, target.open("w", encoding="utf-8", newline="") as copy:
        while block := stream.read(BLOCK_BYTES):
            copy.write(block)
    return target


@dataclass
class _Counted:
    newlines: int = 0
    returns: int = 0
    pairs: int = 0
    quotes: int = 0
    has_tabs: bool = False
    last: bytes = b""


def _size_findings(path: Path, table: Table) -> list[Finding]:
    size = path.stat().st_size
    if size == 0:
        raise fault(path, table, "empty_file", "the file is empty; send it with its header, and with its rows")
    most = thresholds.find("max_file_bytes", table.feed, table.name)
    if most.severity == "ignore" or most.value is None or size <= most.value:
        return []
    message = f"{path.name}: the file has {size:,} bytes, more than the {most.value:,.0f} that are plausible; check what was exported"
    return [Finding(table.name, "max_file_bytes", None, most.severity, None, 1, message)]


def _read_through(path: Path, table: Table, form: Format) -> _Counted:
    """Decode the whole file and count its lines and quotes."""
    import numpy as np

    decoder = codecs.getincrementaldecoder(form.encoding)()
    counted = _Counted()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            _check_block(decoder, block, counted.newlines, path, table, form)
            if counted.last == b"\r" and block.startswith(b"\n"):
                counted.pairs += 1
            characters = np.frombuffer(block, np.uint8)  # counts four times as fast as bytes do
            counted.newlines += int(np.count_nonzero(characters == ord("\n")))
            counted.quotes += int(np.count_nonzero(characters == ord('"')))
            counted.has_tabs = counted.has_tabs or b"\t" in block
            if b"\r" in block:
                counted.returns += block.count(b"\r")
                counted.pairs += block.count(b"\r\n")
            counted.last = block[-1:]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise fault(path, table, "encoding", f"the file ends in the middle of a character of {form.encoding}; send the whole file again") from None
    return counted


def _check_block(decoder: codecs.IncrementalDecoder, block: bytes, lines_before: int, path: Path, table: Table, form: Format) -> None:
    if b"\0" in block:
        line = lines_before + block[: block.index(b"\0")].count(b"\n") + 1
        raise fault(path, table, "encoding", f"line {line} holds a zero byte, so this is not a text file in {form.encoding}")
    if block.isascii() and not decoder.getstate()[0]:  # every encoding a contract may name has ASCII in it
        return
    try:
        decoder.decode(block)
    except UnicodeDecodeError as error:
        line = lines_before + block[: error.start].count(b"\n") + 1
        raise fault(path, table, "encoding", f"line {line} is not text in {form.encoding}; export the file in {form.encoding}") from None


def _line_end(counted: _Counted) -> LineEnd:
    if not counted.returns:
        return "\n"
    if not counted.newlines:
        return "\r"
    return "\r\n" if counted.returns == counted.newlines == counted.pairs else "mixed"


def _header(line: bytes, form: Format) -> list[str]:
    text = line.decode(form.encoding, errors="ignore").removeprefix("\ufeff")
    return next(csv.reader(re.split("[\r\n]", text)[:1], delimiter=form.delimiter), [])


def _in_file(path: Path, finding: Finding) -> Finding:
    return replace(finding, message=f"{path.name}: {finding.message}")


def _check_end(path: Path, width: int, table: Table, form: Format) -> int:
    """Raise when the last line was cut off: without line end, and with too few fields. Returns the number of blank lines at the end."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - LONGEST_LINE))
        tail = stream.read()
    last = max(tail.rfind(b"\n"), tail.rfind(b"\r"))
    fragment = tail[last + 1 :]
    if not fragment:
        ends = tail[len(tail.rstrip(b"\r\n")) :]
        return max(0, (ends.count(b"\n") or ends.count(b"\r")) - 1)
    if fragment.count(b'"') % 2:  # only part of a quoted field
        return 0
    fields = next(csv.reader([fragment.decode(form.encoding, errors="ignore")], delimiter=form.delimiter), [])
    if last >= 0 and len(fields) < width:
        raise fault(path, table, "truncated_file", f"the last line has {len(fields)} of {width} fields and no line end; send the whole file again")
    return 0
