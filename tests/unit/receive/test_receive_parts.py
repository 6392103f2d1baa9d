"""What makes two deliveries the same, and which file belongs to which table."""

from datetime import date
from pathlib import Path

import pytest

from warehouse.contracts.load import load_contract
from warehouse.receive.batches import table_of
from warehouse.receive.copying import has_rows
from warehouse.receive.registry import ReceivedFile
from warehouse.receive.taking import content_hash

POLICE, TREATMENT = load_contract("police"), load_contract("treatment")
NIGHT = date(2026, 11, 1)


def file(table: str, sha256: str, name: str = "x.csv", has_rows: bool = True) -> ReceivedFile:
    return ReceivedFile(table, name, 10, sha256, has_rows)


def test_the_order_of_files_and_the_night_do_not_matter() -> None:
    one = [file("nominals", "a", "nominals.csv"), file("aliases", "b", "aliases.csv")]
    assert content_hash(POLICE, one, NIGHT) == content_hash(POLICE, one[::-1], date(2026, 11, 2))


def test_other_names_or_other_content_are_another_delivery() -> None:
    one = content_hash(POLICE, [file("nominals", "a", "nominals_1.csv")], NIGHT)
    assert one != content_hash(POLICE, [file("nominals", "a", "nominals_2.csv")], NIGHT)
    assert one != content_hash(POLICE, [file("nominals", "b", "nominals_1.csv")], NIGHT)


def test_no_changes_is_another_statement_each_night() -> None:
    empty = [file("nominals", "a", has_rows=False)]
    assert content_hash(POLICE, empty, NIGHT) != content_hash(POLICE, empty, date(2026, 11, 2))
    assert content_hash(TREATMENT, [file("ndtms", "a", has_rows=False)], NIGHT) == content_hash(TREATMENT, [file("ndtms", "a")], date(2026, 11, 2))


@pytest.mark.parametrize(("content", "expected"), [("A,B\n", False), ("A,B\n\n \n", False), ("A,B\n\n1,2\n", True), ("", False)])
def test_blank_lines_are_no_rows(tmp_path: Path, content: str, expected: bool) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")
    assert has_rows(path) is expected


def test_a_night_that_is_stated_makes_another_delivery() -> None:
    one = [file("ndtms", "a")]
    assert content_hash(TREATMENT, one, NIGHT, is_stated=True) != content_hash(TREATMENT, one, date(2026, 11, 2), is_stated=True)


def test_files_belong_to_tables_by_the_contracts_patterns() -> None:
    names = ["aliases_20261101.csv", "nominals.csv", "read me.txt", "offences.psv"]
    assert [table_of(POLICE, name) for name in names] == ["aliases", "nominals", None, None]
