"""The file phase: what cannot be loaded is told exactly, and never with a value."""

from pathlib import Path

import pytest

from warehouse.admit.files import FileShape, FilesRefused, inspect, to_utf8
from warehouse.contracts import thresholds
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Format
from warehouse.contracts.thresholds import Threshold

CONTRACT = load_contract("benefits")
TABLE = CONTRACT.tables["employment_spells"]
NAMES = [c.name for c in TABLE.columns]
HEADER = "|".join(NAMES)
ROW = "I|C1|J1|2024-05-01|2025-04-05|D"


def inspected(tmp_path: Path, content: str | bytes, form: Format = CONTRACT.format) -> FileShape:
    path = tmp_path / "file.psv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return inspect(path, TABLE, form)


def fault(tmp_path: Path, content: str | bytes, form: Format = CONTRACT.format) -> tuple[str, str]:
    with pytest.raises(FilesRefused) as caught:
        inspected(tmp_path, content, form)
    (finding,) = [finding for finding in caught.value.findings if finding.refuses]
    return finding.rule, finding.message


@pytest.mark.parametrize(
    ("content", "lines", "line_end"),
    [
        (f"{HEADER}\n", 1, "\n"),
        (HEADER, 1, "\n"),
        (f"{HEADER}\n{ROW}\n", 2, "\n"),
        (f"{HEADER}\n{ROW}", 2, "\n"),
        (f"{HEADER}\n{ROW}\n\n\n", 2, "\n"),
        (f"{HEADER}\r\n{ROW}\r\n{ROW}\r\n", 3, "\r\n"),
        (f"{HEADER}\r\n{ROW}\r\n\r\n", 2, "\r\n"),
        (f"{HEADER}\r{ROW}\r", 2, "\r"),
        (f"{HEADER}\n{ROW}\r\n{ROW}\n", 3, "mixed"),
        (b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}\n".encode(), 2, "\n"),
    ],
)
def test_good_files_and_their_lines(tmp_path: Path, content: str | bytes, lines: int, line_end: str) -> None:
    shape = inspected(tmp_path, content)
    assert (shape.lines, shape.line_end, shape.quotes, shape.columns, shape.findings) == (lines, line_end, 0, NAMES, [])


def test_a_pair_of_line_end_characters_may_lie_across_two_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.admit.files.BLOCK_BYTES", len(HEADER) + 1)
    assert inspected(tmp_path, f"{HEADER}\r\n{ROW}\r\n").line_end == "\r\n"


def test_tabs_are_noted_unless_they_are_the_delimiter(tmp_path: Path) -> None:
    assert inspected(tmp_path, f"{HEADER}\nI|C1\t|J1|2024-05-01||\n").has_tabs
    form = CONTRACT.format.model_copy(update={"delimiter": "\t"})
    assert not inspected(tmp_path, f"{HEADER}\n{ROW}\n".replace("|", "\t"), form).has_tabs


def test_an_empty_file(tmp_path: Path) -> None:
    assert fault(tmp_path, "")[0] == "empty_file"


def test_a_file_of_implausible_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thresholds, "find", lambda check, *_: Threshold(check, 100, "refuse", "a test"))
    rule, message = fault(tmp_path, f"{HEADER}\n{ROW}\n")
    assert rule == "max_file_bytes" and "more than the 100 that are plausible" in message


def test_columns_that_are_lost_refuse_the_file(tmp_path: Path) -> None:
    rule, message = fault(tmp_path, "|".join(NAMES[:-1]) + "\nI|C1|J1|2024-05-01|2025-04-05\n")
    assert rule == "missing_column" and message.startswith("file.psv: ") and "END_DATE_QUALITY" in message


def test_columns_that_are_new_or_moved_are_told(tmp_path: Path) -> None:
    shape = inspected(tmp_path, "|".join([NAMES[1], NAMES[0], *NAMES[2:], "NOTES"]) + "\n")
    assert {finding.rule for finding in shape.findings} == {"new_column", "reordered_columns"}
    assert not any(finding.refuses for finding in shape.findings)


def test_a_file_without_header_does_not_show_its_first_row(tmp_path: Path) -> None:
    rule, message = fault(tmp_path, "I|Quillon|Testcase|2024-05-01||\n")
    assert rule == "header" and "the first line is not a header" in message
    assert "Quillon" not in message and "Testcase" not in message


@pytest.mark.parametrize(("bad", "message"), [(b"caf\xe9", "line 3 is not text in utf-8"), (b"a\0b", "line 3 holds a zero byte")])
def test_bytes_that_are_not_text_are_told_by_line(tmp_path: Path, bad: bytes, message: str) -> None:
    rule, told = fault(tmp_path, f"{HEADER}\n{ROW}\n".encode() + bad + b"|x|x|x|x|x\n")
    assert rule == "encoding" and message in told


def test_a_character_may_lie_across_two_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.admit.files.BLOCK_BYTES", 1)
    assert inspected(tmp_path, f"{HEADER}\nI|é€|J1|2024-05-01||\n").lines == 2


def test_the_same_bytes_are_text_in_the_encoding_the_contract_gives(tmp_path: Path) -> None:
    form = CONTRACT.format.model_copy(update={"encoding": "windows-1252"})
    assert inspected(tmp_path, f"{HEADER}\nI|caf\xe9|J1|2024-05-01||\n".encode("windows-1252"), form).lines == 2
    copied = to_utf8(tmp_path / "file.psv", form, tmp_path / "copy")
    assert "café" in copied.read_text(encoding="utf-8")


def test_a_file_in_utf8_is_not_copied(tmp_path: Path) -> None:
    assert to_utf8(tmp_path / "file", CONTRACT.format, tmp_path / "copy") == tmp_path / "file"


@pytest.mark.parametrize("end", ["I|C1|J", b"caf\xc3"])
def test_a_file_that_was_cut_off(tmp_path: Path, end: str | bytes) -> None:
    rule, message = fault(tmp_path, f"{HEADER}\n{ROW}\n".encode() + (end if isinstance(end, bytes) else end.encode()))
    assert rule in ("truncated_file", "encoding") and "send the whole file again" in message
