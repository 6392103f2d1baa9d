"""The file phase: what cannot be loaded is told exactly, and never with a value."""

from pathlib import Path

import pytest

from warehouse.admit.files import FileFault, inspect
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Format, Table

CONTRACT = load_contract("benefits")
TABLE = CONTRACT.tables["employment_spells"]
NAMES = [c.name for c in TABLE.columns]
HEADER = "|".join(NAMES)
ROW = "I|C1|J1|2024-05-01|2025-04-05|D"


def inspected(tmp_path: Path, content: str | bytes, table: Table = TABLE, form: Format = CONTRACT.format) -> tuple[int, int]:
    path = tmp_path / "file.psv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    shape = inspect(path, table, form)
    return shape.lines, shape.quotes


def fault(tmp_path: Path, content: str | bytes, form: Format = CONTRACT.format) -> tuple[str, str]:
    with pytest.raises(FileFault) as caught:
        inspected(tmp_path, content, form=form)
    return caught.value.rule, str(caught.value)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (f"{HEADER}\n", 1),
        (HEADER, 1),
        (f"{HEADER}\n{ROW}\n", 2),
        (f"{HEADER}\n{ROW}", 2),
        (f"{HEADER}\r\n{ROW}\r\n{ROW}\r\n", 3),
        (f"{HEADER}\r{ROW}\r", 2),
        (b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}\n".encode(), 2),
    ],
)
def test_good_files_and_their_lines(tmp_path: Path, content: str | bytes, lines: int) -> None:
    assert inspected(tmp_path, content) == (lines, 0)


def test_an_empty_file(tmp_path: Path) -> None:
    assert fault(tmp_path, "")[0] == "empty_file"


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (NAMES[:-1], "missing: END_DATE_QUALITY"),
        ([*NAMES, "NOTES"], "new: NOTES"),
        ([*NAMES[:3], "BEGIN_DATE", *NAMES[4:]], "renamed: START_DATE is now BEGIN_DATE"),
        ([*NAMES[:3], NAMES[4], NAMES[3], NAMES[5]], "reordered: START_DATE, END_DATE"),
        ([*NAMES, "SPELL_ID"], "twice: SPELL_ID"),
        ([*NAMES, "01/02/1980; Q"], "new: a column with an unusual name"),
    ],
)
def test_a_different_header_is_told_exactly(tmp_path: Path, found: list[str], difference: str) -> None:
    rule, message = fault(tmp_path, "|".join(found) + f"\n{ROW}\n")
    assert rule == "header" and f"({difference})" in message


def test_a_file_without_header_does_not_show_its_first_row(tmp_path: Path) -> None:
    rule, message = fault(tmp_path, "I|Quillon|Testcase|2024-05-01||\n")
    assert rule == "header" and "the first line is not a header" in message
    assert "Quillon" not in message and "Testcase" not in message


@pytest.mark.parametrize(("bad", "message"), [(b"caf\xe9", "line 3 is not text in utf-8"), (b"a\0b", "line 3 holds a zero byte")])
def test_bytes_that_are_not_text_are_told_by_line(tmp_path: Path, bad: bytes, message: str) -> None:
    rule, told = fault(tmp_path, f"{HEADER}\n{ROW}\n".encode() + bad + b"|x|x|x|x|x\n")
    assert rule == "encoding" and message in told


def test_the_same_bytes_are_text_in_the_encoding_the_contract_gives(tmp_path: Path) -> None:
    form = CONTRACT.format.model_copy(update={"encoding": "windows-1252"})
    assert inspected(tmp_path, f"{HEADER}\nI|caf\xe9|J1|2024-05-01||\n".encode("windows-1252"), form=form) == (2, 0)


@pytest.mark.parametrize("end", ["I|C1|J", b"caf\xc3"])
def test_a_file_that_was_cut_off(tmp_path: Path, end: str | bytes) -> None:
    rule, message = fault(tmp_path, f"{HEADER}\n{ROW}\n".encode() + (end if isinstance(end, bytes) else end.encode()))
    assert rule in ("truncated_file", "encoding") and "send the whole file again" in message
