"""What is measured of a delivery, and that no value of a person gets into it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.admit.drifting import checkpoint, visits

from warehouse.admit.drift import profile
from warehouse.admit.errors import AdmitFault

CONTRACT = visits()
TABLE = CONTRACT.tables["visits"]
NIGHT = date(2026, 11, 1)
pytestmark = pytest.mark.usefixtures("own_thresholds")


def measured(folder: Path, rows: list[dict[str, Any]], unreadable: dict[str, int] | None = None) -> dict[str, float]:
    paths = checkpoint(folder, TABLE, rows, unreadable)
    return {row.name: row.value for row in profile(paths[0], CONTRACT, TABLE, paths[1], NIGHT)}


def test_rows_and_shares_are_those_of_rows_that_must_carry_everything(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"visit": "1", "answer": "DRG", "happy": True},
        {"visit": "2"},
        {"visit": "3", "_withheld": True},
        {"visit": "4", "_deleted": True},
    ]
    found = measured(tmp_path, rows)
    assert (found["rows"], found["complete"]) == (4, 2)
    assert (found["visit.filled"], found["answer.filled"], found["seen.filled"]) == (1.0, 0.5, 0.0)


def test_shares_of_codes_and_flags_are_of_the_known_values(tmp_path: Path) -> None:
    rows = [{"answer": "DRG", "happy": True}] * 3 + [{"answer": "ALC", "happy": False}] + [{"answer": "XYZ"}]
    found = measured(tmp_path, rows, {"answer.codes": 1})
    assert found["answer.code.DRG"] == 0.75 and found["answer.code.ALC"] == 0.25 and "answer.code.NO" not in found
    assert found["happy.code.Y"] == 0.75 and found["happy.code.N"] == 0.25


def test_unreadable_values_are_a_share_of_those_that_were_there(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"seen": date(2026, 10, 1)}] * 10 + [{}] * 40
    found = measured(tmp_path, rows, {"seen.type": 30})
    assert (found["seen.unreadable"], found["seen.unreadable_rows"]) == (0.75, 30)
    assert "next.unreadable" not in found


def test_recent_rows_hold_a_past_date_within_the_days_up_to_the_night(tmp_path: Path) -> None:
    days = [date(2026, 10, 2), date(2026, 11, 1), date(2026, 10, 1), date(2026, 11, 2), None]
    assert measured(tmp_path, [{"seen": day} for day in days])["recent"] == 2
    assert measured(tmp_path, [{"next": date(2026, 10, 30)}])["recent"] == 0


def test_an_empty_table_is_measured_too(tmp_path: Path) -> None:
    found = measured(tmp_path, [])
    assert found["rows"] == 0 and found["answer.filled"] == 0


def told(folder: Path, values: dict[str, int], known: int = 100) -> dict[str, float]:
    """The new codes told of a column with these values, beside so many known ones."""
    rows = [{"answer": "DRG"}] * known + [{"answer": value} for value, count in values.items() for _ in range(count)]
    found = measured(folder, rows, {"answer.codes": sum(values.values())})
    return {name.removeprefix("answer.new_code."): value for name, value in found.items() if ".new_code." in name}


def test_a_code_that_is_new_and_frequent_is_told_with_its_rows(tmp_path: Path) -> None:
    assert told(tmp_path, {"GAM": 7}) == {"GAM": 7}


def test_a_code_of_too_few_rows_is_not_told(tmp_path: Path) -> None:
    assert told(tmp_path, {"GAM": 4}) == {}


@pytest.mark.parametrize("value", ["Bloggs", "gam", "GA", "12/03/1984", "G-M", "GAMBLE"])
def test_a_value_not_written_like_a_code_of_the_list_is_not_told(tmp_path: Path, value: str) -> None:
    # GA is written like NO, which is on the list: two capitals.
    assert told(tmp_path, {value: 20}) == ({"GA": 20} if value == "GA" else {})


def test_names_shaped_like_codes_are_not_told_when_a_column_has_shifted(tmp_path: Path) -> None:
    assert told(tmp_path, {"AMY": 9, "BOB": 8, "IAN": 7, "SUE": 6}) == {}
    assert told(tmp_path, {"AMY": 60}, known=50) == {}


def test_a_checkpoint_that_cannot_be_read_is_a_clean_error(tmp_path: Path) -> None:
    with pytest.raises(AdmitFault, match=r"Could not measure visits__visits: DuckDB IOException") as caught:
        profile(tmp_path / "none.parquet", CONTRACT, TABLE)
    assert caught.value.__cause__ is None
