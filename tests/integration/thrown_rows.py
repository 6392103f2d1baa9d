"""What the property test of admission throws at the small feeds: rows that are good, spoiled, or no rows at all."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from unicodedata import category

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from warehouse.contracts.model import Contract, Table

# What has broken one reader of files or another: quotes, delimiters, line breaks, spaces that are none, end marks, null tokens.
NASTY = ['"', '""', '"a', 'a"b', "'", ",", "|", ";", "\t", "a\nb", "a\r\nb", "\r", "\\", "\\N", "\\.", "\u00a0", "\u00a0x\u00a0", " x ", "\ufeff",
         "é", "e\u0301", "😀", "\u2028", "NA", "na", "NULL", "0", "-1", "1e3", "٣", "99999999999", "31/02/2026", "2026-02-31", "=1+1", "'; drop table x --",
         "N", "D", "{}", "[]", "x" * 70_000]  # fmt: skip
FRAGMENTS = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8))
LINE_ENDS = ("\n", "\r\n")


@dataclass(frozen=True)
class Thrown:
    """The content of a file after its header, as the agency wrote it: lines, what ends them, and whether the last one is ended."""

    lines: list[str]
    line_end: str = "\n"
    is_ended: bool = True


def files(contract: Contract) -> SearchStrategy[Thrown]:
    """Files of up to 40 lines of a small feed's one table, mostly good ones."""
    good = _good_rows(contract)
    delimiter = contract.format.delimiter
    lines = st.one_of(
        good.map(lambda row: as_line(row, delimiter)),
        good.map(lambda row: as_line(row, delimiter)),
        _spoiled(good).map(lambda row: as_line(row, delimiter)),
        _spoiled(good).map(lambda row: delimiter.join(row)),
        st.lists(FRAGMENTS, max_size=12).map(delimiter.join),
        st.just(""),
    )
    return st.builds(Thrown, st.lists(lines, max_size=40), st.sampled_from(LINE_ENDS), st.sampled_from([True, True, True, False]))


def good_file(contract: Contract, people: int) -> Thrown:
    """A file of good rows alone."""
    row = _sample(table_of(contract))
    return Thrown([as_line([values.format(n=n) for values in row.values()], contract.format.delimiter) for n in range(people)])


def as_line(row: list[str], delimiter: str) -> str:
    """A row as a line of the file, quoted where it must be."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(row)
    return text.getvalue()


def content(contract: Contract, thrown: Thrown) -> bytes:
    """The bytes of the file, header and all."""
    header = contract.format.delimiter.join(column.name for column in table_of(contract).columns)
    text = thrown.line_end.join([header, *thrown.lines])
    return (text + thrown.line_end if thrown.is_ended else text).encode()


def rows_in(contract: Contract, thrown: Thrown) -> list[list[str]]:
    """The rows of the file as Python's own reader sees them; blank lines are none."""
    text = io.StringIO(content(contract, thrown).decode(), newline="")
    return [row for row in csv.reader(text, delimiter=contract.format.delimiter) if row][1:]


def value_of(text: str, null_tokens: list[str]) -> str | None:
    """What a cell says, once the spaces round it, of any kind, and tokens for nothing are taken away."""
    outside = "".join(character for character in set(text) if character in "\t\r\n" or category(character) == "Zs")
    trimmed = text.strip(outside) if outside else text
    return None if trimmed in ("", *null_tokens) else trimmed


def bare(fields: list[str], delimiter: str) -> str:
    """The fields of a row that is none as one text without quotes: readers may split quoted ones differently, but lose nothing."""
    return delimiter.join(fields).replace('"', "")


def table_of(contract: Contract) -> Table:
    """The one table of a small feed."""
    (table,) = contract.tables.values()
    return table


def _sample(table: Table) -> dict[str, str]:
    """A good row of the table; `{n}` stands for the person's number."""
    written = "01/02/1980" if table.feed == "register" else "1980-02-01"
    row = {"CHANGE_TYPE": "I", "PERSON": "P{n}", "VISIT": "1", "CONSENT": "Y", "SURNAME": "Sample{n}", "DOB": written, "STATE": "A", "SCORE": "3", "NOTE": "-"}
    return {column.name: row[column.name] for column in table.columns}


def _good_rows(contract: Contract) -> SearchStrategy[list[str]]:
    """Rows of few people, so that some are there already, some come twice, some are changed, deleted or withheld."""
    sample = _sample(table_of(contract))
    varied = {
        "CHANGE_TYPE": st.sampled_from("IUD"),
        "VISIT": st.sampled_from("12"),
        "CONSENT": st.sampled_from("YYYN"),
        "STATE": st.sampled_from("AB"),
        "NOTE": st.sampled_from(["-", "changed", ""]),
    }
    values = {name: varied.get(name, st.just(value)) for name, value in sample.items()}
    return st.builds(
        lambda n, row: [value.format(n=n) for value in row.values()],
        st.integers(min_value=0, max_value=39),
        st.fixed_dictionaries(values),
    )


def _spoiled(rows: SearchStrategy[list[str]]) -> SearchStrategy[list[str]]:
    def spoil(row: list[str], place: int, value: str) -> list[str]:
        return [*row[: place % len(row)], value, *row[place % len(row) + 1 :]]

    return st.builds(spoil, rows, st.integers(min_value=0, max_value=20), FRAGMENTS)
