"""Tokenising files: what leaves an agency, what does not, and what agrees."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from warehouse.cli_tokenise import app
from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.contracts.zones import source_columns, vault_columns
from warehouse.link.errors import LinkageFault
from warehouse.link.roles import LINKAGE_ROLES
from warehouse.link.tokens.contract import token_contract
from warehouse.link.tokens.files import TokeniseError, tokenise

KEY = bytes(range(32))
NIGHT = date(2026, 11, 1)


def columns(*named: tuple[str, str | None], **more: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": "date" if role == "dob" else "text", "description": name, "required": name == "ID"}
        | ({"role": role} if role else {})
        | more.get(name, {})
        for name, role in named
    ]


def made_up_contract(**changes: Any) -> Contract:
    values = {
        "feed": "club",
        "title": "Club",
        "owner": "a@example.org",
        "description": "Members",
        "source": "invented",
        "delivery": {"kind": "changes", "cadence": "daily", "late_after_days": 1},
        "format": {"encoding": "windows-1252", "delimiter": "|", "null_tokens": ["", "NULL"], "date_format": "DD/MM/YYYY"},
        "code_lists": {"sex": {"M": "Male", "F": "Female"}, "change": {"I": "Insert", "U": "Update", "D": "Delete"}},
        "tables": {
            "members": {
                "file": "members*.txt",
                "grain": "one row per member",
                "keys": {"record_key": ["ID"], "row_key": ["ID"]},
                "columns": columns(
                    ("CHANGE", "change_type"), ("ID", "agency_id"), ("FIRST", "forename"), ("LAST", "surname"), ("BORN_AS", "previous_surname"),
                    ("BIRTH", "dob"), ("SEX", "sex"), ("HOME", "postcode"), ("STREET", "address_line"), ("NINO", "nino"), ("HOBBY", None),
                    CHANGE={"type": "code", "codes": "change", "required": True}, SEX={"type": "code", "codes": "sex", "share": "as_is"},
                    BIRTH={"share": "birth_year"},
                ),
            },
            "aliases": {
                "file": "aliases*.txt",
                "grain": "one row per alias",
                "keys": {"record_key": ["ID"], "row_key": ["ID", "NO"]},
                "columns": columns(
                    ("CHANGE", "change_type"), ("ID", "agency_id"), ("NO", "agency_id"), ("FIRST", "forename"), ("LAST", "surname"),
                    CHANGE={"type": "code", "codes": "change", "required": True},
                ),
            },
        },
    }  # fmt: skip
    return Contract.model_validate(values | changes)


HEADER = "CHANGE|ID|FIRST|LAST|BORN_AS|BIRTH|SEX|HOME|STREET|NINO|HOBBY|EXTRA\n"


def deliver(folder: Path, *rows: str, aliases: tuple[str, ...] = ()) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "members_20261101.txt").write_text(HEADER + "".join(row + "\n" for row in rows), encoding="windows-1252")
    if aliases:
        (folder / "aliases_20261101.txt").write_text("CHANGE|ID|NO|FIRST|LAST\n" + "".join(row + "\n" for row in aliases), encoding="windows-1252")
    return folder


def tokenised(tmp_path: Path, *rows: str, aliases: tuple[str, ...] = (), key: bytes = KEY, contract: Contract | None = None) -> dict[str, list[dict[str, str]]]:
    out = tmp_path / f"out-{key[:2].hex()}"
    written = tokenise(contract or made_up_contract(), deliver(tmp_path / "in", *rows, aliases=aliases), out, key, NIGHT)
    return {file.path.name.split("_")[0]: list(csv.DictReader(file.path.open(encoding="utf-8"), delimiter="|")) for file in written}


ANNE = "I|1|Anné-Marie|O'Brien|Smith|01/02/1980|F|AB1 2AD|1 High St|AB123457C|chess|secret"


def test_no_clear_identifier_leaves(tmp_path: Path) -> None:
    (row,) = tokenised(tmp_path, ANNE)["members"]
    assert {name: row[name] for name in ("ID", "SEX", "HOBBY", "YEAR_OF_BIRTH")} == {"ID": "1", "SEX": "F", "HOBBY": "chess", "YEAR_OF_BIRTH": "1980"}
    assert not {"FIRST", "LAST", "BORN_AS", "BIRTH", "HOME", "STREET", "NINO", "EXTRA"} & set(row)
    text = "|".join(value for name, value in row.items() if name.endswith("_TOKEN")).upper()
    assert text
    assert not re.search("ANN|BRIEN|SMITH|1980|AB1|HIGH|123457", text)


def test_the_same_person_written_otherwise_has_the_same_tokens(tmp_path: Path) -> None:
    first, second = tokenised(tmp_path, ANNE, "I|2|ANNE MARIE|OBRIEN|NULL|01/02/1980|f|ab12ad||ab 12 34 57 c||")["members"]
    for column in ("FIRST_TOKEN", "LAST_TOKEN", "BIRTH_TOKEN", "HOME_TOKEN", "NINO_TOKEN", "JOINT_TOKEN"):
        assert first[column] and first[column] == second[column], column
    assert second["BORN_AS_TOKEN"] == second["PREVIOUS_JOINT_TOKEN"] == ""


def test_another_key_gives_other_tokens(tmp_path: Path) -> None:
    (first,) = tokenised(tmp_path, ANNE)["members"]
    (second,) = tokenised(tmp_path, ANNE, key=KEY[::-1])["members"]
    assert not [name for name in first if name.endswith("_TOKEN") and set(first[name].split(".")) & set(second[name].split(".")) - {""}]
    assert first["TOKEN_SET"] != second["TOKEN_SET"]


def test_names_may_go_without_their_pairs_of_letters(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", ANNE)
    (plain,) = tokenise(made_up_contract(), folder, tmp_path / "plain", KEY, NIGHT, letter_pairs=False)
    (full,) = tokenise(made_up_contract(), folder, tmp_path / "full", KEY, NIGHT)
    (without,), (row,) = (list(csv.DictReader(file.path.open(encoding="utf-8"), delimiter="|")) for file in (plain, full))
    for column in ("FIRST_TOKEN", "LAST_TOKEN"):
        assert without[column] == row[column].rpartition(".")[0] + "."
    assert without["TOKEN_SET"] != row["TOKEN_SET"]


def test_short_forms_share_the_token_of_their_group(tmp_path: Path) -> None:
    first, second = tokenised(tmp_path, "I|1|Robert|Dale||01/02/1980|M|||||", "I|2|Bob|Dale||01/02/1980|M|||||")["members"]
    (whole, group, *_), (other_whole, other_group, *_) = (row["FIRST_TOKEN"].split(".") for row in (first, second))
    assert whole != other_whole
    assert group == other_group


def test_initials_sex_and_parts_of_the_date_have_no_token_of_their_own(tmp_path: Path) -> None:
    """Two people who agree on initials, sex, and nothing of the date, share nothing of the joint token, so nobody can count initials or sexes."""
    first, second = tokenised(tmp_path, "I|1|Jane|Smith||01/02/1980|F|||||", "I|2|June|Stone||13/11/1975|F|||||")["members"]
    assert not set(first["JOINT_TOKEN"].split(".")) & set(second["JOINT_TOKEN"].split("."))


def test_placeholders_give_no_token(tmp_path: Path) -> None:
    (row,) = tokenised(tmp_path, "I|1|Baby|Unknown||01/01/1901|U|ZZ99 3VZ||QQ123456C||")["members"]
    assert [row[name] for name in row if name.endswith("_TOKEN") and name != "TOKEN_SET"] == [""] * 8


def test_an_alias_borrows_date_of_birth_and_sex(tmp_path: Path) -> None:
    files = tokenised(tmp_path, "I|1|Jane|Smith||01/02/1980|F|||||", "I|2|Jane|Dale||01/02/1980|F|||||", aliases=("I|1|1|Jane|Dale", "I|9|1|Jane|Dale"))
    known, unknown = files["aliases"]
    assert known["JOINT_TOKEN"] == files["members"][1]["JOINT_TOKEN"]
    assert unknown["JOINT_TOKEN"] == ""


def test_a_row_without_consent_leaves_with_what_may_be_kept(tmp_path: Path) -> None:
    contract = made_up_contract(
        delivery={"kind": "snapshot", "cadence": "daily", "late_after_days": 1},
        consent={"column": "HOBBY", "withheld": "N", "keep": ["ID", "HOBBY"]},
        tables={
            "members": {
                "file": "members*.txt",
                "grain": "one row per member",
                "keys": {"record_key": ["ID"], "row_key": ["ID"]},
                "columns": columns(
                    ("ID", "agency_id"), ("FIRST", "forename"), ("LAST", "surname"), ("BIRTH", "dob"), ("HOBBY", None), BIRTH={"share": "birth_year"}
                ),
            }
        },
    )
    withheld, unsaid, given = tokenised(
        tmp_path, *(f"I|{n}|Jane|Smith||01/02/1980|F||||{flag}|" for n, flag in ((1, "N"), (2, ""), (3, "Y"))), contract=contract
    )["members"]
    assert given["JOINT_TOKEN"] != "" and given["YEAR_OF_BIRTH"] == "1980"
    for row in (withheld, unsaid):
        assert {name for name, value in row.items() if value} <= {"ID", "HOBBY", "TOKEN_SET"}


def test_rows_keep_their_order_and_are_counted(tmp_path: Path) -> None:
    rows = [f"I|{number}|Jane|Smith||{'31/02/1980' if number % 2 else '01/02/1980'}|F|||||" for number in range(500, 0, -1)]
    (written,) = tokenise(made_up_contract(), deliver(tmp_path / "in", *rows), tmp_path / "out", KEY, NIGHT)
    assert [row["ID"] for row in csv.DictReader(written.path.open(encoding="utf-8"), delimiter="|")] == [str(number) for number in range(500, 0, -1)]
    assert (written.rows, written.identifiers["dob"], written.identifiers["previous_surname"]) == (500, (500, 250), (0, 0))
    assert written.path.stat().st_mode & 0o077 == 0


def test_faults_are_told_without_values(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", ANNE)
    with pytest.raises(TokeniseError, match="another folder"):
        tokenise(made_up_contract(), folder, folder, KEY, NIGHT)
    deliver(folder, ANNE + "|Secretname")
    with pytest.raises(LinkageFault, match="other fields than its header") as raised:
        tokenise(made_up_contract(), folder, tmp_path / "out", KEY, NIGHT)
    assert "Secretname" not in str(raised.value) and raised.value.__cause__ is None
    (folder / "members_20261101.txt").write_text("CHANGE|ID\nI|1\n", encoding="utf-8")
    with pytest.raises(TokeniseError, match="lacks columns of the contract, or has them twice: FIRST, LAST"):
        tokenise(made_up_contract(), folder, tmp_path / "out", KEY, NIGHT)
    (folder / "members_20261101.txt").unlink()
    with pytest.raises(TokeniseError, match=r"No file fits a file pattern of club: members\*\.txt"):
        tokenise(made_up_contract(), folder, tmp_path / "out", KEY, NIGHT)


@pytest.mark.parametrize("contract", all_contracts(), ids=lambda contract: contract.feed)
def test_every_feed_has_a_contract_of_tokens(contract: Contract) -> None:
    delivered = Contract.model_validate(token_contract(contract))
    roles = {column.role for table in delivered.tables.values() for column in table.columns}
    assert not roles & {*LINKAGE_ROLES, "address_line"}
    for name, table in contract.tables.items():
        held = {column.name.replace("year_of_birth", "birth_year") for column in source_columns(delivered.tables[name])}
        assert {column.name for column in source_columns(table)} == held, "analysis sees the same columns"
        assert not {column.name for column in vault_columns(delivered, delivered.tables[name])} & {"sex", "year_of_birth"}


def test_tokens_have_the_form_that_their_contract_asks_for(tmp_path: Path) -> None:
    rows = tokenised(tmp_path, ANNE, "I|2|X|Ng||||||||")["members"]
    contract = Contract.model_validate(token_contract(made_up_contract()))
    for column in contract.tables["members"].columns:
        for row in rows:
            if column.pattern and row[column.name]:
                assert re.search(column.pattern, row[column.name]), column.name


def test_a_contract_of_tokens_is_not_tokenised_again() -> None:
    with pytest.raises(ValueError, match="describes tokens already"):
        token_contract(Contract.model_validate(token_contract(made_up_contract())))


def test_the_command_writes_files_and_contract(tmp_path: Path) -> None:
    contract_file, key_file, new_contract = tmp_path / "club.yaml", tmp_path / "key", tmp_path / "tokens.yaml"
    values = made_up_contract().model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    contract_file.write_text(yaml.safe_dump(values), encoding="utf-8")
    key_file.write_text(KEY.hex(), encoding="ascii")
    key_file.chmod(0o600)
    deliver(tmp_path / "in", ANNE)
    given = ["--contract", contract_file, "--in", tmp_path / "in", "--out", tmp_path / "out", "--key-file", key_file, "--write-contract", new_contract]
    result = CliRunner().invoke(app, [*map(str, given), "--date", "2026-11-01"])
    assert result.exit_code == 0, result.output
    assert "1 given" in " ".join(result.output.split())
    assert KEY.hex() not in result.output
    assert Contract.model_validate(yaml.safe_load(new_contract.read_text(encoding="utf-8"))).feed == "club"
    assert CliRunner().invoke(app, [*map(str, given[:4]), "--out", str(tmp_path / "in"), "--key-file", str(key_file)]).exit_code == 2
