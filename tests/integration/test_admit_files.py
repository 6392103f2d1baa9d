"""Receiving and the file phase: duplicates, missing and unexpected files, refusals, files that need the slow path."""

from pathlib import Path

import pytest
from tests.integration.deliveries import NIGHTS, deliver, golden_inbox, golden_rows, query, write_inbox

from warehouse.admit import stage
from warehouse.admit.errors import DeliveryRefused
from warehouse.receive.stage import receive
from warehouse.settings import settings

pytestmark = pytest.mark.integration


def refusal(feed: str, inbox: Path, night: str = "night_1") -> str:
    """The message with which a delivery is refused on loading."""
    delivery_id = receive(feed, inbox, NIGHTS[night])
    assert delivery_id is not None
    with pytest.raises(DeliveryRefused) as caught:
        stage.load(delivery_id)
    assert query("select status, message from ops.delivery where delivery_id = %s", delivery_id) == [("refused", str(caught.value))]
    assert query("select count(*) from pg_tables where schemaname = 'landing'") == [(0,)]
    return str(caught.value)


def arrests(tmp_path: Path) -> tuple[Path, Path]:
    """An inbox with one file of arrests, and that file."""
    inbox = write_inbox(tmp_path / "inbox", "police", {"arrests": golden_rows("police", "arrests")[:2]})
    return inbox, inbox / "police" / "arrests_inbox.csv"


def test_nothing_came(clean_db: Path, tmp_path: Path) -> None:
    assert receive("police", tmp_path, NIGHTS["night_1"]) is None
    (tmp_path / "police").mkdir()
    assert receive("police", tmp_path, NIGHTS["night_1"]) is None


def test_the_landed_copy_is_untouched(clean_db: Path, tmp_path: Path) -> None:
    inbox, path = arrests(tmp_path)
    delivery_id = receive("police", inbox, NIGHTS["night_1"])
    assert (settings().landing_dir / "police" / str(delivery_id) / path.name).read_bytes() == path.read_bytes()
    assert query("select table_name, file_name, bytes from ops.delivery_file") == [("arrests", path.name, path.stat().st_size)]


def test_copies_that_were_never_registered_are_removed(clean_db: Path, tmp_path: Path) -> None:
    left = settings().landing_dir / "police" / ".unfinished-abc"
    left.mkdir(parents=True)
    receive("police", arrests(tmp_path)[0], NIGHTS["night_1"])
    assert not left.exists()


def test_unexpected_files_are_a_warning(clean_db: Path, tmp_path: Path) -> None:
    inbox, path = arrests(tmp_path)
    path.with_name("notes.txt").write_text("hello", encoding="utf-8")
    delivery_id = deliver("police", inbox, "night_1")
    found = query("select severity, failed_rows, message from ops.check_result where delivery_id = %s and rule = 'unexpected_file'", delivery_id)
    assert found == [("warn", 1, "Files that belong to no table of the feed were left in the inbox: notes.txt")]


def test_a_table_without_changes_may_be_left_out_but_not_of_a_snapshot(clean_db: Path, tmp_path: Path) -> None:
    assert query("select status from ops.delivery where delivery_id = %s", deliver("police", arrests(tmp_path)[0], "night_1")) == [("admitted",)]
    (tmp_path / "other" / "treatment").mkdir(parents=True)
    (tmp_path / "other" / "treatment" / "list.csv").write_text("x", encoding="utf-8")
    assert "ndtms: no file named ndtms*.csv came" in refusal("treatment", tmp_path / "other")


def test_two_files_for_one_table(clean_db: Path, tmp_path: Path) -> None:
    inbox, path = arrests(tmp_path)
    path.with_name("arrests_b.csv").write_bytes(path.read_bytes())
    assert "2 files came for one table (arrests_b.csv, arrests_inbox.csv); send one [one_file_per_table]" in refusal("police", inbox)


def test_a_renamed_column_is_refused_with_the_difference(clean_db: Path, tmp_path: Path) -> None:
    inbox, path = arrests(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("ARREST_DATE", "DATE_OF_ARREST", 1), encoding="utf-8")
    message = refusal("police", inbox)
    assert "arrests_inbox.csv: columns have been renamed: ARREST_DATE is now DATE_OF_ARREST" in message and "[renamed_column]" in message
    assert query("select rule, severity, failed_rows from ops.check_result") == [("renamed_column", "refuse", 1)]


def test_new_and_moved_columns_are_told_and_read_by_name(clean_db: Path, tmp_path: Path) -> None:
    (tmp_path / "police").mkdir()
    text = "NOTE,ARREST_DATE,CHANGE_TYPE,ARREST_ID,NOMINAL_ID,TRIGGER_OFFENCE,COCAINE_RESULT,OPIATE_RESULT\nseen,2026-10-01,I,A1,N1,Y,P,N\n"
    (tmp_path / "police" / "arrests.csv").write_text(text, encoding="utf-8")
    deliver("police", tmp_path, "night_1")
    assert query("select arrest_date::text, opiate_result, cocaine_result from source.police__arrests") == [("2026-10-01", "N", "P")]
    told = query("select rule, severity, failed_rows from ops.check_result where rule like '%%column%%' and failed_rows > 0 order by 1")
    assert [(rule, severity) for rule, severity, _ in told] == [("new_column", "warn"), ("reordered_columns", "warn")]


def test_a_refused_delivery_that_comes_again_is_taken_up_again(clean_db: Path, tmp_path: Path) -> None:
    inbox, path = arrests(tmp_path)
    good = path.read_bytes()
    path.write_bytes(b"")
    refused = receive("police", inbox, NIGHTS["night_1"])
    assert refused is not None
    for _ in range(2):
        assert receive("police", inbox, NIGHTS["night_1"]) == refused
        with pytest.raises(DeliveryRefused, match="the file is empty"):
            stage.load(refused)
    path.write_bytes(good)
    assert deliver("police", inbox, "night_1") != refused


HEADER = "CHANGE_TYPE,NOMINAL_ID,ADDRESS_NO,ADDRESS_LINE,POSTCODE,LAD_CODE,FROM_DATE,TO_DATE"


@pytest.mark.parametrize(
    ("body", "lines", "malformed"),
    [
        ('I,N1,1,"The Old Mill\nBack Lane",,,,\nI,N1,2,Plain,,,,\n', ["The Old Mill\nBack Lane", "Plain"], []),
        ('I,N1,1,Flat 5" upstairs,,,,\nI,N1,2,Plain,,,,\n', ['Flat 5" upstairs', "Plain"], []),
        ('I,N1,1,Flat 5",,,,\nI,N1,2,Flat 6",,,,\nI,N1,3,Plain,,,,\n', ['Flat 5"', 'Flat 6"', "Plain"], []),
        ("I,N1,1,One,,,,\n\nI,N1,2,Two,,,,\n\n", ["One", "Two"], []),
        ("I,N1,1,One,,,,\n\\.\nI,N1,2,Two,,,,\n", ["One", "Two"], [2]),
        ("I,N1,1,One,,,,\nI,N1,2\nI,N1,3,Three,,,,,extra\nI,N1,4,Four,,,,\n", ["One", "Four"], [2, 3]),
        ("I,N1,1,One,,,,\r\nI,N1,2,Two,,,,\nI,N1,3,Three,,,,\r\n", ["One", "Two", "Three"], []),
    ],
    ids=["quoted line break", "stray quote", "two stray quotes", "blank lines", "copy's end mark", "ragged rows", "mixed line ends"],
)
def test_no_row_is_lost_whatever_the_files_quirks(clean_db: Path, tmp_path: Path, body: str, lines: list[str], malformed: list[int]) -> None:
    (tmp_path / "police").mkdir()
    (tmp_path / "police" / "addresses.csv").write_text(f"{HEADER}\n{body}", encoding="utf-8", newline="")
    deliver("police", tmp_path, "night_1")
    assert [line for (line,) in query("select address_line from vault.police__addresses order by address_no")] == lines
    assert [number for (number,) in query("select row_number from quarantine.refused_row where rules = '{malformed_row}' order by 1")] == malformed


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('I,N1,1,One,,,,\nI,N1,2,"no end,,,,\nI,N1,3,Three,,,,\n', "truncated_file"),
        ("I,N1\n" * 30, "malformed_row"),
    ],
)
def test_a_file_whose_rows_cannot_be_told_apart_is_refused(clean_db: Path, tmp_path: Path, body: str, rule: str) -> None:
    (tmp_path / "police").mkdir()
    (tmp_path / "police" / "addresses.csv").write_text(f"{HEADER}\n{body}", encoding="utf-8", newline="")
    assert f"[{rule}]" in refusal("police", tmp_path)


def test_a_byte_order_mark_padding_and_the_contracts_encoding(clean_db: Path, tmp_path: Path) -> None:
    (tmp_path / "police").mkdir()
    text = f"{HEADER}\nI, N1 ,1,\u00a0Café Row\t,,,2020-01-01 ,\n"
    (tmp_path / "police" / "addresses.csv").write_text(text, encoding="utf-8-sig")
    deliver("police", tmp_path, "night_1")
    assert query("select nominal_id, address_line, from_date::text from vault.police__addresses") == [("N1", "Café Row", "2020-01-01")]


def test_golden_files_pass_through_receive_unchanged(clean_db: Path, tmp_path: Path) -> None:
    inbox = golden_inbox(tmp_path, "housing", "night_1")
    delivery_id = receive("housing", inbox, NIGHTS["night_1"])
    landed = settings().landing_dir / "housing" / str(delivery_id)
    assert {p.name: p.read_bytes() for p in landed.iterdir()} == {p.name: p.read_bytes() for p in (inbox / "housing").iterdir()}
