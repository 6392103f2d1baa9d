"""The thresholds file: the most specific row wins, and whatever is wrong with the file is told with its line."""

from pathlib import Path

import pytest

from warehouse.contracts import thresholds
from warehouse.contracts.load import ContractError, all_contracts
from warehouse.contracts.thresholds import CHECKS, FILE, Threshold, find, number, validate

HEADER = "feed,table,column,check,value,severity,reason"
VALUES = {"share": "0.5", "times": "2", "count": "20", "none": ""}
DEFAULTS = [f"*,*,*,{name},{VALUES[check.unit]},{check.policies[0] if check.policies else ''},because" for name, check in CHECKS.items()]


def written(folder: Path, *more: str, defaults: list[str] = DEFAULTS, header: str = HEADER) -> Path:
    """An expectations folder with a thresholds file: the rows for all feeds, and `more`."""
    (folder / FILE).write_text("\n".join([header, *defaults, *more]) + "\n", encoding="utf-8")
    return folder


def faults(folder: Path, *more: str, defaults: list[str] = DEFAULTS, header: str = HEADER) -> str:
    with pytest.raises(ContractError) as caught:
        thresholds.load(written(folder, *more, defaults=defaults, header=header))
    return str(caught.value)


def test_the_projects_own_file_is_valid_and_fits_its_contracts() -> None:
    validate(all_contracts())
    assert all(find(check, "anything") for check in CHECKS)


def test_every_row_of_the_projects_own_file_says_why() -> None:
    reasons = [threshold.reason for rows in thresholds.load().values() for threshold in rows.values()]
    assert all(len(reason.split()) >= 5 for reason in reasons)


def test_the_most_specific_row_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(
        tmp_path,
        "police,*,*,new_code,10,warn,because",
        "police,offences,*,new_code,30,warn,because",
        "police,offences,DISPOSAL_CODE,new_code,40,refuse,because",
    )
    whole = thresholds.load(folder)
    monkeypatch.setattr(thresholds, "load", lambda: whole)
    assert find("new_code", "benefits", "claimants", "SEX").value == 20
    assert find("new_code", "police", "arrests", "SEX").value == 10
    assert find("new_code", "police", "offences", "PROVEN_BY").value == 30
    assert find("new_code", "police", "offences", "disposal_code") == Threshold("new_code", 40, "refuse", "because")
    assert find("new_code", "police", "offences", "DISPOSAL_CODE").value == 40


def test_a_limit_can_be_switched_off_by_an_empty_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = thresholds.load(written(tmp_path, "police,*,*,max_rows,,ignore,because"))
    monkeypatch.setattr(thresholds, "load", lambda: whole)
    assert find("max_rows", "police").value is None
    with pytest.raises(ContractError, match=r"'max_rows' needs a value for police\.offences"):
        number("max_rows", "police", "offences")


def test_a_check_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ContractError, match="no check called 'new_cods'"):
        find("new_cods", "police")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("*,*,*,new_cods,5,warn,because", "there is no check called 'new_cods'"),
        ("*,*,*,new_code,5,warn,because", "'new_code' is given twice for the same place"),
        ("police,offences,sex,new_code,5,warn,because\npolice,offences,SEX,new_code,6,warn,because", "'new_code' is given twice for the same place"),
        ("police,*,*,new_code,5,warning,because", "the severity of 'new_code' must be one of refuse, warn, ignore"),
        ("police,*,*,new_code,5,quarantine,because", "the severity of 'new_code' must be one of refuse, warn, ignore"),
        ("police,*,*,failing_floor,5,warn,because", "'failing_floor' is a number that other checks use: leave its severity empty"),
        ("police,*,*,new_code,a few,warn,because", "the value 'a few' is not a number"),
        ("police,*,*,new_code,2.5,warn,because", "the value '2.5' is not a whole number"),
        ("police,*,*,failing_share,1.5,warn,because", "the value '1.5' is not a share above 0 and up to 1"),
        ("police,*,*,row_count_change,nan,warn,because", "the value 'nan' is not a number above 0"),
        ("police,*,*,min_rows,inf,warn,because", "the value 'inf' is not a whole number"),
        ("police,*,*,min_rows,,warn,because", "the value is missing"),
        ("police,*,*,new_column,3,warn,because", "this check takes no value"),
        ("police,*,*,new_code,5,warn, ", "every row says why"),
        ("police,,*,new_code,5,warn,because", "feed, table and column must each be a name or *"),
        ("*,offences,*,new_code,5,warn,because", "a table can only be named with its feed, and a column with its table"),
        ("police,*,SEX,new_code,5,warn,because", "a table can only be named with its feed, and a column with its table"),
        ("police,offences,SEX,min_rows,5,warn,because", "'min_rows' is not about single columns"),
        ("police,*,*,new_code,5,warn,because, of course", "a line has 7 fields; text that holds a comma needs quotes"),
        ("police,*,*,new_code,5", "a line has 7 fields"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    told = faults(tmp_path, row)
    last = len(DEFAULTS) + 1 + len(row.splitlines())
    assert f"line {last}: {message}" in told


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "police,*,*,new_cods,5,warn,because", "police,*,*,new_code,x,warn,because")
    assert "new_cods" in told and "'x' is not a number" in told


def test_a_missing_default_is_told(tmp_path: Path) -> None:
    rest = [row for row in DEFAULTS if ",min_rows," not in row]
    assert "'min_rows' has no row for all feeds (*,*,*)" in faults(tmp_path, defaults=rest)


def test_other_columns_than_the_seven_are_told(tmp_path: Path) -> None:
    assert f"the first line must be {HEADER}" in faults(tmp_path, header=HEADER + ",note")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"thresholds\.csv is missing"):
        thresholds.load(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("polis,*,*,new_code,5,warn,because", "new_code: there is no feed called 'polis'"),
        ("police,offense,*,new_code,5,warn,because", "new_code: police has no table called 'offense'"),
        ("police,offences,CODE,new_code,5,warn,because", "new_code: police.offences has no column called 'CODE'"),
    ],
)
def test_rows_about_what_no_contract_has_are_told(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        validate(all_contracts(), written(tmp_path, row))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert ("police", "*", "*") not in thresholds.load(written(tmp_path))["new_code"]
    assert ("police", "*", "*") in thresholds.load(written(tmp_path, "police,*,*,new_code,5,warn,because"))["new_code"]
