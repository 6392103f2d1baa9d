"""The file of records to erase: by the columns of a record key, and no id in any message."""

from __future__ import annotations

import pytest

from warehouse.cli_erasure import read_records
from warehouse.contracts.load import load_contract

ID = "QUILLFEATHER-77"


def records(text: str, feed: str = "police") -> list[dict[str, str]]:
    return read_records(text.splitlines(keepends=True), load_contract(feed))


def test_records_are_read_by_the_columns_of_the_key_alone() -> None:
    assert records(f"SURNAME,NOMINAL_ID\nX, {ID} \nY,N2\n") == [{"NOMINAL_ID": ID}, {"NOMINAL_ID": "N2"}]


def test_a_feed_with_two_kinds_of_record_takes_either() -> None:
    assert records(f"CASE_ID,PERSON_NO\n{ID},1\n", "housing") == [{"CASE_ID": ID, "PERSON_NO": "1"}]
    assert records(f"SERVICE_CLIENT_ID\n{ID}\n", "housing") == [{"SERVICE_CLIENT_ID": ID}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The first line must name the columns of a record of police: NOMINAL_ID"),
        (f"{ID}\n{ID}\n", "The first line must name the columns"),
        ("NOMINAL_ID\n", "The file holds no record"),
        (f"NOMINAL_ID,X\n{ID},1\n,2\n", "Line 3 has no value for one of NOMINAL_ID; nothing was erased"),
    ],
)
def test_what_is_wrong_with_the_file_is_said_without_an_id(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")) as fault:
        records(text)
    assert ID not in str(fault.value)
