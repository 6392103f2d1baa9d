"""Reading rows as text: the fast reader and the careful one see the same rows, and malformed rows keep their numbers."""

from pathlib import Path

import duckdb
import pytest

from warehouse.admit import read as reading
from warehouse.admit.files import FilesRefused, inspect
from warehouse.admit.parse import numbered
from warehouse.admit.read import RawRows, read
from warehouse.admit.rows import source_of
from warehouse.contracts.load import load_contract

CONTRACT = load_contract("police")
TABLE = CONTRACT.tables["addresses"]
HEADER = ",".join(c.name for c in TABLE.columns)
Numbered = list[tuple[int, str | None, str | None]]


def read_text(tmp_path: Path, body: str) -> tuple[Numbered, list[tuple[int, list[str]]]]:
    """Number, ADDRESS_NO and ADDRESS_LINE of the well-formed rows; number and fields of the malformed ones."""
    path = tmp_path / "addresses.csv"
    end = "\r\n" if body.endswith("\r\n") else "\n"
    path.write_text(f"{HEADER}{end}{body}", encoding="utf-8", newline="")
    with duckdb.connect() as session:
        raw: RawRows = read(path, inspect(path, TABLE, CONTRACT.format), TABLE, CONTRACT.format, tmp_path, session)
        source = source_of(raw, TABLE, session)
        rows = session.execute(f"select _row_number, address_no, address_line from {numbered(source, source.raw)} order by 1").fetchall()
        malformed = session.execute(f"select * from read_parquet('{raw.malformed}') order by 1").fetchall()
    assert (raw.well_formed_count, raw.malformed_count) == (len(rows), len(malformed))
    return rows, malformed


@pytest.fixture
def only_carefully(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_read_fast", lambda *_: None)


FILES = {
    "plain": ("I,N1,1,One,,,,\nI,N1,2,Two,,,,\n", [(1, "1", "One"), (2, "2", "Two")], []),
    "no row": ("", [], []),
    "no line end": ("I,N1,1,One,,,,\nI,N1,2,Two,,,,", [(1, "1", "One"), (2, "2", "Two")], []),
    "blank line at the end": ("I,N1,1,One,,,,\nI,N1,2,Two,,,,\n\n", [(1, "1", "One"), (2, "2", "Two")], []),
    "carriage returns": ("I,N1,1,One,,,,\r\nx\r\nI,N1,3,Three,,,,\r\n", [(1, "1", "One"), (3, "3", "Three")], [(2, ["x"])]),
    "mixed line ends": ("I,N1,1,One,,,,\r\nI,N1,2,Two,,,,\n", [(1, "1", "One"), (2, "2", "Two")], []),
    "quoted delimiter": ('I,N1,1,"Flat 1, Back Lane",,,,\nI,N1,2,Two,,,,\n', [(1, "1", "Flat 1, Back Lane"), (2, "2", "Two")], []),
    "doubled quotes": ('I,N1,1,"The ""Mill""",,,,\n', [(1, "1", 'The "Mill"')], []),
    "quoted line break": ('I,N1,1,"The Mill\nBack Lane",,,,\nI,N1,2,Two,,,,\n', [(1, "1", "The Mill\nBack Lane"), (2, "2", "Two")], []),
    "stray quotes": ('I,N1,1,Flat 5",,,,\nI,N1,2,Flat 6" up,,,,\n', [(1, "1", 'Flat 5"'), (2, "2", 'Flat 6" up')], []),
    "blank lines": ("I,N1,1,One,,,,\n\nI,N1,2,Two,,,,\n\n", [(1, "1", "One"), (2, "2", "Two")], []),
    "malformed after blank lines": ("I,N1,1,One,,,,\n\nI,N1\nI,N1,3,Three,,,,\n", [(1, "1", "One"), (3, "3", "Three")], [(2, ["I", "N1"])]),
    "malformed at both ends": (
        "I\nI,N1,2,Two,,,,\nI,N1,3,Three,,,,,more\n",
        [(2, "2", "Two")],
        [(1, ["I"]), (3, ["I", "N1", "3", "Three", "", "", "", "", "more"])],
    ),
    "several malformed in a row": ("I,N1,1,One,,,,\nx\ny\nz\nI,N1,5,Five,,,,\n", [(1, "1", "One"), (5, "5", "Five")], [(2, ["x"]), (3, ["y"]), (4, ["z"])]),
    "stray delimiter before an empty end": (
        "I,N1,1,Flat 1, Back Lane,,,,\nI,N1,2,Two,,,,\n",
        [(2, "2", "Two")],
        [(1, ["I", "N1", "1", "Flat 1", " Back Lane", "", "", "", ""])],
    ),
    "malformed beside quotes": ('I,N1,1,"One, A",,,,\nx\nI,N1,3,Three,,,,\n', [(1, "1", "One, A"), (3, "3", "Three")], [(2, ["x"])]),
}


@pytest.mark.parametrize(("body", "rows", "malformed"), FILES.values(), ids=FILES)
def test_rows_and_their_numbers(tmp_path: Path, body: str, rows: Numbered, malformed: list[tuple[int, list[str]]]) -> None:
    assert read_text(tmp_path, body) == (rows, malformed)


@pytest.mark.usefixtures("only_carefully")
@pytest.mark.parametrize(("body", "rows", "malformed"), FILES.values(), ids=FILES)
def test_the_careful_reader_sees_the_same(tmp_path: Path, body: str, rows: Numbered, malformed: list[tuple[int, list[str]]]) -> None:
    assert read_text(tmp_path, body) == (rows, malformed)


def test_numbers_are_exact_among_many_rows_with_one_in_a_hundred_malformed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough rows for several threads; and none of it needs the careful reader."""
    monkeypatch.setattr(reading, "_read_carefully", lambda *_: pytest.fail("read row by row"))
    count = 300_000
    short = {number for number in range(1, count + 1) if number % 100 == 7 or number % 1009 in (0, 1, 2)}
    body = "".join("I,N1\n" if number in short else f"I,N1,{number},Line,,,,\n" for number in range(1, count + 1))
    rows, malformed = read_text(tmp_path, body)
    assert [number for number, _ in malformed] == sorted(short)
    assert all(str(number) == address for number, address, _ in rows)
    assert len(rows) == count - len(short)


def test_null_tokens_are_null(tmp_path: Path) -> None:
    form = CONTRACT.format.model_copy(update={"null_tokens": ["NA", "-"]})
    path = tmp_path / "addresses.csv"
    path.write_text(f'{HEADER}\nI,N1,1,NA,-,"",,\n', encoding="utf-8")
    with duckdb.connect() as session:
        raw = read(path, inspect(path, TABLE, form), TABLE, form, tmp_path, session)
        assert session.execute(f"select address_line, postcode, lad_code from read_parquet('{raw.rows}')").fetchall() == [(None, None, None)]


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('I,N1,1,One,,,,\nI,N1,2,"no end,,,,\nI,N1,3,Three,,,,\n', "truncated_file"),
        ('I,N1,1,One,,,,\nI,N1,2,Two,,,,"2020-01\n', "truncated_file"),
        ('I,N1,1,One,,,,\nI,N1,2,Two,,,,"2020-01', "truncated_file"),
        ("I,N1\n" * 30, "malformed_row"),
    ],
)
def test_a_file_whose_rows_cannot_be_told_apart_is_refused(tmp_path: Path, body: str, rule: str) -> None:
    with pytest.raises(FilesRefused) as caught:
        read_text(tmp_path, body)
    assert [finding.rule for finding in caught.value.findings] == [rule]
