"""Faults of whole files: how the files of a clean delivery are spoiled, and which rule has to catch it.

Every fault is planted in every feed, in the file of one of its tables.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from tests.scenarios.clean_deliveries import Files

from warehouse.contracts.model import Contract, Table

# The table whose file is spoiled. Its last column is one that rows may lack.
SPOILED_TABLE = {
    "treatment": "ndtms",
    "police": "offences",
    "benefits": "claimants",
    "housing": "duties",
    "deaths": "registrations",
    "custody": "receptions",
    "priority_offenders": "nominations",
}


@dataclass(frozen=True)
class Sent:
    """The files of a clean delivery, one of which is to be spoiled."""

    contract: Contract
    night: date
    files: Files

    @property
    def table(self) -> Table:
        return self.contract.tables[SPOILED_TABLE[self.contract.feed]]

    @property
    def name(self) -> str:
        """The name of the file to be spoiled."""
        return next(name for name in self.files if fnmatchcase(name, self.table.file))

    @property
    def content(self) -> bytes:
        return self.files[self.name]

    def spoiled(self, content: bytes) -> Files:
        """The delivery with another content of that file."""
        return self.files | {self.name: content}

    def with_rows(self, change: Callable[[list[str], int], list[str]]) -> Files:
        """The delivery with every row of that file changed; the header is row 0."""
        delimiter = self.contract.format.delimiter
        rows = list(csv.reader(io.StringIO(self.content.decode(), newline=""), delimiter=delimiter))
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(change(row, number) for number, row in enumerate(rows))
        return self.spoiled(text.getvalue().encode())


@dataclass(frozen=True)
class FileFault:
    """One way to spoil a delivery.

    `told_of`: where the rule is told: of the spoiled `table`, of `every table`, or of the `delivery`. `failed` is what it counts;
    `columns` where that is every column of the file.
    """

    fault: str
    spoil: Callable[[Sent], Files]
    caught_by: str
    so: str = "refused"
    told_of: str = "table"
    failed: int | str = 1

    def expected(self, sent: Sent) -> dict[tuple[str, str], int]:
        """What has to be told, by table and rule. Files under other names are told as well: they are what is missing."""
        tables = {"table": [sent.table.name], "every table": list(sent.contract.tables), "delivery": [""]}[self.told_of]
        failed = len(sent.table.columns) if self.failed == "columns" else int(self.failed)
        unexpected = {("", "unexpected_file"): len(sent.files)} if self.caught_by == "missing_file" else {}
        return {(table, self.caught_by): failed for table in tables} | unexpected


def unreadable(sent: Sent) -> Files:
    return sent.spoiled(_zip({"book.xml": b"\0" * 500}))


def in_the_encoding_of_windows(sent: Sent) -> Files:
    lines = sent.content.decode().splitlines(keepends=True)
    return sent.spoiled("".join([lines[0], lines[1].replace("9", "é", 1), *lines[2:]]).encode("windows-1252"))


def in_utf_16(sent: Sent) -> Files:
    return sent.spoiled(sent.content.decode().encode("utf-16"))


def without_the_last_column(sent: Sent) -> Files:
    return sent.with_rows(lambda row, _: row[:-1])


def with_the_last_column_renamed(sent: Sent) -> Files:
    return sent.with_rows(lambda row, number: row if number else [*row[:-1], f"{row[-1]}_V2"])


def with_a_new_column(sent: Sent) -> Files:
    return sent.with_rows(lambda row, number: [*row, "x" if number else "SOMETHING_NEW"])


def with_two_columns_swapped(sent: Sent) -> Files:
    return sent.with_rows(lambda row, _: [*row[:-2], row[-1], row[-2]])


def with_the_last_column_twice(sent: Sent) -> Files:
    return sent.with_rows(lambda row, _: [*row, row[-1]])


def without_a_header(sent: Sent) -> Files:
    return sent.spoiled(sent.content.partition(b"\n")[2])


def with_semicolons(sent: Sent) -> Files:
    return sent.spoiled(sent.content.replace(sent.contract.format.delimiter.encode(), b";"))


def cut_off_in_a_row(sent: Sent) -> Files:
    *lines, last = sent.content.splitlines(keepends=True)
    return sent.spoiled(b"".join(lines) + last[: last.index(sent.contract.format.delimiter.encode()) + 2])


def cut_off_in_a_quoted_field(sent: Sent) -> Files:
    *lines, last = sent.content.splitlines(keepends=True)
    fields = last.split(sent.contract.format.delimiter.encode())
    return sent.spoiled(b"".join(lines) + sent.contract.format.delimiter.encode().join([*fields[:-1], b'"' + fields[-1]]))


def cut_off_in_a_character(sent: Sent) -> Files:
    return sent.spoiled(sent.content + "é".encode()[:1])


def empty(sent: Sent) -> Files:
    return sent.spoiled(b"")


def under_other_names(sent: Sent) -> Files:
    return {f"extract_of_{name}": content for name, content in sent.files.items()}


def with_a_file_for_no_table(sent: Sent) -> Files:
    return sent.files | {"notes.txt": b"see you tomorrow"}


def with_two_files_for_one_table(sent: Sent) -> Files:
    stem, suffix = sent.name.rsplit(".", 1)
    return sent.files | {f"{stem}_b.{suffix}": sent.content}


def for_a_night_long_to_come(sent: Sent) -> Files:
    return {name.replace("2026", "2027"): content for name, content in sent.files.items()}


def with_a_damaged_archive(sent: Sent) -> Files:
    return {"delivery.zip": _zip(sent.files)[:-40]}


def with_an_archive_in_the_archive(sent: Sent) -> Files:
    return {"delivery.zip": _zip({"inner.zip": _zip(sent.files)})}


def with_an_archive_that_leads_outside(sent: Sent) -> Files:
    return {"delivery.zip": _zip({f"../{name}": content for name, content in sent.files.items()})}


def plain_and_in_an_archive(sent: Sent) -> Files:
    return sent.files | {"delivery.zip": _zip({sent.name: sent.content})}


def altered_since_the_manifest(sent: Sent) -> Files:
    manifest = _manifest(sent, sent.files)
    return sent.spoiled(sent.content.replace(b"I", b"U", 1)) | manifest


def with_fewer_rows_than_the_manifest_says(sent: Sent) -> Files:
    return sent.files | _manifest(sent, sent.files, rows={sent.name: 100_000})


def with_the_manifest_of_another_feed(sent: Sent) -> Files:
    return sent.files | _manifest(sent, sent.files, feed="another")


def with_a_manifest_that_is_none(sent: Sent) -> Files:
    return sent.files | {"manifest.json": b"{}"}


def with_the_manifest_of_another_night(sent: Sent) -> Files:
    return sent.files | _manifest(sent, sent.files, night="2026-10-31")


def _zip(files: Files) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in files.items():
            archive.writestr(name, inner)
    return content.getvalue()


def _manifest(sent: Sent, files: Files, rows: dict[str, int] | None = None, **changes: str) -> Files:
    named = [{"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()]
    for file in named:
        if file["name"] in (rows or {}):
            file["rows"] = (rows or {})[str(file["name"])]
    document = {"feed": sent.contract.feed, "night": sent.night.isoformat(), "files": named} | changes
    return {"manifest.json": json.dumps(document).encode()}


FILE_FAULTS = [
    FileFault("a spreadsheet instead of a text file", unreadable, "encoding"),
    FileFault("an accent in the encoding of Windows", in_the_encoding_of_windows, "encoding"),
    FileFault("text in UTF-16", in_utf_16, "encoding"),
    FileFault("a column is missing", without_the_last_column, "missing_column"),
    FileFault("a column is renamed", with_the_last_column_renamed, "renamed_column"),
    FileFault("a column is new", with_a_new_column, "new_column", so="warned"),
    FileFault("two columns are swapped", with_two_columns_swapped, "reordered_columns", so="warned"),
    FileFault("a column comes twice", with_the_last_column_twice, "duplicated_column"),
    FileFault("there is no header", without_a_header, "header", failed="columns"),
    FileFault("another delimiter", with_semicolons, "header", failed="columns"),
    FileFault("cut off in a row", cut_off_in_a_row, "truncated_file"),
    FileFault("cut off in a quoted field", cut_off_in_a_quoted_field, "truncated_file"),
    FileFault("cut off in a character", cut_off_in_a_character, "encoding"),
    FileFault("an empty file", empty, "empty_file"),
    FileFault("files under other names", under_other_names, "missing_file", told_of="every table"),
    FileFault("a file that belongs to no table", with_a_file_for_no_table, "unexpected_file", so="warned", told_of="delivery"),
    FileFault("two files for one table", with_two_files_for_one_table, "one_file_per_table", failed=2),
    FileFault("files for a night in a year's time", for_a_night_long_to_come, "wrong_period", told_of="delivery"),
    FileFault("a damaged archive", with_a_damaged_archive, "archive", told_of="delivery"),
    FileFault("an archive in an archive", with_an_archive_in_the_archive, "archive", told_of="delivery"),
    FileFault("an archive whose names lead outside", with_an_archive_that_leads_outside, "archive", told_of="delivery"),
    FileFault("a file both plain and in an archive", plain_and_in_an_archive, "same_file_name", told_of="delivery"),
    FileFault("a file altered since its manifest was made", altered_since_the_manifest, "manifest", told_of="delivery"),
    FileFault("fewer rows than the manifest says", with_fewer_rows_than_the_manifest_says, "manifest", told_of="delivery"),
    FileFault("the manifest of another feed", with_the_manifest_of_another_feed, "manifest", told_of="delivery"),
    FileFault("a manifest that is none", with_a_manifest_that_is_none, "manifest", told_of="delivery"),
    FileFault("files dated otherwise than their manifest", with_the_manifest_of_another_night, "wrong_period", told_of="delivery"),
]
