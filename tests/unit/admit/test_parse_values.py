"""Typing of values, what is blanked, keys and hashes: in DuckDB, where no text may raise an error."""

import hashlib
import hmac
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from tests.unit.admit.checkpoints import built, failed, lines, select

from warehouse.admit.keys import key_expression
from warehouse.admit.parse import date_checked, date_read
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Column, Contract
from warehouse.settings import settings

TREATMENT, POLICE, HOUSING = load_contract("treatment"), load_contract("police"), load_contract("housing")
CLIENT = {
    "FINITIAL": "Q", "SINITIAL": "Z", "DOB": "12/04/1980", "SEX": "M", "REFLD": "01/03/2026", "AGNCY": "N0852", "CLIENTID": "1", "EPISODID": "11",
    "CONSENT": "Y", "DRUG1": "1011", "TRIAGED": "05/03/2026",
}  # fmt: skip


def asked(expression: str, text: str) -> Any:
    with duckdb.connect() as session:
        ((found,),) = session.execute(f"select {expression} from (select ?::varchar as t)", [text]).fetchall()
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("29/02/2024", date(2024, 2, 29)),
        ("29/02/2023", None),
        ("29/02/2000", date(2000, 2, 29)),
        ("29/02/1900", None),
        ("30/02/2024", None),
        ("31/04/2024", None),
        ("30/04/2024", date(2024, 4, 30)),
        ("31/12/1999", date(1999, 12, 31)),
        ("00/01/2024", None),
        ("32/01/2024", None),
        ("01/00/2024", None),
        ("01/13/2024", None),
        ("01/01/0000", None),
        ("01/01/0999", None),
        ("01/01/1000", date(1000, 1, 1)),
        ("01/01/2999", date(2999, 1, 1)),
        ("01/01/3024", None),
        ("1/1/2024", None),
        ("1/ 1/ 2024", None),
        ("01/01/ 024", None),
        ("01/01/-024", None),
        ("01/01/+024", None),
        ("+1/01/2024", None),
        ("-1/01/2024", None),
        ("2024-01-01", None),
        ("01/01/2024 00:00", None),
        ("01/01/2024\n", None),
        ("٠١/٠١/٢٠٢٤", None),
        ("infinity", None),
        ("", None),
    ],
)
def test_dates(text: str, value: date | None) -> None:
    assert asked(date_checked(date_read("t", "DD/MM/YYYY")), text) == value


@pytest.mark.parametrize(("date_format", "text"), [("YYYY-MM-DD", "2024-02-29"), ("YYYYMMDD", "20240229"), ("MM.DD.YYYY", "02.29.2024")])
def test_other_date_formats(date_format: str, text: str) -> None:
    assert asked(date_checked(date_read("t", date_format)), text) == date(2024, 2, 29)


def test_every_day_of_two_centuries_and_nothing_else_is_a_date() -> None:
    with duckdb.connect() as session:
        ((wrong,),) = session.execute(f"""
            select count(*) from (
                select format('{{:04d}}-{{:02d}}-{{:02d}}', y, m, d) as t from range(1890, 2111) as y (y), range(0, 14) as m (m), range(0, 33) as d (d)
            ) left join (select range::date as day from range(timestamp '1890-01-01', timestamp '2111-01-01', interval 1 day)) on day::varchar = t
            where ({date_checked(date_read("t", "YYYY-MM-DD"))}) is distinct from day
        """).fetchall()
    assert wrong == 0


def housed(tmp_path: Path, person_no: str) -> tuple[int | None, dict[str, int]]:
    row = {"CHANGE_TYPE": "I", "CASE_ID": "HC1", "PERSON_NO": person_no, "RELATIONSHIP": "A", "FORENAME": "Quill", "SURNAME": "Testcase"}
    folder, facts = built(tmp_path, HOUSING, {"people": lines(HOUSING, "people", [row])})
    (found,) = select(folder, "people.rows", "person_no")
    return found, failed(facts, "people")


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("+7", 7), ("007", 7), ("999999999", 999999999), (" 3 ", 3)])
def test_whole_numbers(tmp_path: Path, text: str, value: int) -> None:
    assert housed(tmp_path, text) == (value, {})


@pytest.mark.parametrize("text", ["1.0", "1e3", "x", "1 000", "1_000", "0x10", "1234567890", "+", "٣"])
def test_text_that_is_no_whole_number(tmp_path: Path, text: str) -> None:
    """It breaks the rule on the type, and not that on a missing value."""
    assert housed(tmp_path, text) == (None, {"person_no.type": 1})


def treated(tmp_path: Path, rows: list[dict[str, str]], contract: Contract = TREATMENT) -> tuple[Path, dict[str, int]]:
    folder, facts = built(tmp_path, contract, {"ndtms": lines(contract, "ndtms", [CLIENT | row for row in rows])})
    return folder, failed(facts, "ndtms")


def test_flags_are_y_and_n_alone(tmp_path: Path) -> None:
    folder, broken = treated(tmp_path, [{"EPISODID": str(number), "PREVTR": text} for number, text in enumerate(["Y", "N", "NA", "y", "1", ""])])
    assert select(folder, "ndtms.rows", "prevtr") == [True, False, None, None, None, None]
    assert broken == {"prevtr.type": 2}


@pytest.mark.parametrize("space", [" ", "  ", "\u00a0", "\u2003", "\t", " \t\u00a0"])
def test_space_round_values_is_no_part_of_them(tmp_path: Path, space: str) -> None:
    rows = [{"CLIENTID": f"{space}7{space}", "DOB": f"{space}12/04/1980", "ETHNIC": f"NA{space}", "NATION": space, "PC": f"{space}AB1{space}2"}]
    folder, _ = treated(tmp_path, rows)
    assert select(folder, "ndtms.rows", "clientid, dob, ethnic, nation, pc") == [("7", date(1980, 4, 12), None, None, f"AB1{space}2")]


def test_without_consent_only_what_the_contract_keeps_is_read(tmp_path: Path) -> None:
    folder, broken = treated(tmp_path, [{"CONSENT": "N", "SEX": "X", "DOB": "never"}])
    names = [c.field for c in TREATMENT.tables["ndtms"].columns]
    (row,) = select(folder, "ndtms.rows", ", ".join(names))
    assert {name for name, value in zip(names, row, strict=True) if value is not None} == {"agncy", "clientid", "consent"}
    assert select(folder, "ndtms.rows", "_withheld, _deleted, record_key is null, _identity_hash is null") == [(True, False, False, True)]
    assert broken == {}


def test_a_deletion_brings_its_keys_alone(tmp_path: Path) -> None:
    rows = [{"CHANGE_TYPE": "D", "NOMINAL_ID": "N1", "FORENAME": "Quill", "DOB": "never"}]
    folder, facts = built(tmp_path, POLICE, {"nominals": lines(POLICE, "nominals", rows)})
    assert select(folder, "nominals.rows", "_withheld, _deleted, nominal_id, forename, _identity_hash") == [(False, True, "N1", None, None)]
    assert failed(facts, "nominals") == {}


def keyed(feed: str, *message: str) -> UUID:
    return UUID(bytes=hmac.new(settings().feed_key(feed), "\x1f".join(message).encode(), hashlib.sha256).digest()[:16])


def test_keys_are_hmacs_of_the_typed_values(tmp_path: Path) -> None:
    offence = {"CHANGE_TYPE": "I", "NOMINAL_ID": " N1", "OFFENCE_ID": "O1"}
    folder, _ = built(tmp_path, POLICE, {"offences": lines(POLICE, "offences", [offence, {"CHANGE_TYPE": "I", "OFFENCE_ID": "O2"}])})
    assert select(folder, "offences.rows", "record_key, row_key") == [
        (keyed("police", "record_key", "N1"), keyed("police", "row_key", "N1", "O1")),
        (None, keyed("police", "row_key", "", "O2")),
    ]


def test_a_row_key_of_the_record_keys_columns_is_the_record_key(tmp_path: Path) -> None:
    folder, _ = built(tmp_path, POLICE, {"nominals": lines(POLICE, "nominals", [{"CHANGE_TYPE": "I", "NOMINAL_ID": "N1"}])})
    assert select(folder, "nominals.rows", "record_key, row_key") == [(keyed("police", "record_key", "N1"),) * 2]


def test_keys_that_rows_have_in_common_are_those_of_each_row_alone(tmp_path: Path) -> None:
    rows = [{"CLIENTID": str(number % 3), "EPISODID": str(number % 5), "MODID": str(number)} for number in range(30)]
    folder, _ = treated(tmp_path, rows)
    found = select(folder, "ndtms.rows", "record_key, episode_key, row_key")
    assert found == [
        (
            keyed("treatment", "record_key", "N0852", r["CLIENTID"]),
            keyed("treatment", "episode_key", "N0852", r["CLIENTID"], r["EPISODID"]),
            keyed("treatment", "row_key", "N0852", r["CLIENTID"], r["EPISODID"], r["MODID"], "", "", ""),
        )
        for r in rows
    ]


@pytest.mark.parametrize("secret", [b"k" * 32, bytes(range(32)), b"'" * 32])
def test_any_secret_may_be_a_key(secret: bytes) -> None:
    expected = hmac.new(secret, "record_key\x1fMüller".encode(), hashlib.sha256).digest()[:16]
    assert asked(key_expression("record_key", ["t"], secret), "Müller") == UUID(bytes=expected)


def hashes(tmp_path: Path, name: str, row: dict[str, str], contract: Contract = TREATMENT) -> tuple[UUID, UUID]:
    (tmp_path / name).mkdir()
    folder, _ = treated(tmp_path / name, [row], contract)
    (found,) = select(folder, "ndtms.rows", "_row_hash, _identity_hash")
    return tuple(found)


def test_attributes_and_identifiers_have_hashes_of_their_own(tmp_path: Path) -> None:
    plain = hashes(tmp_path, "plain", {})
    assert hashes(tmp_path, "same", {"ETHNIC": "NA"}) == plain
    attribute, identity = hashes(tmp_path, "attribute", {"ETHNIC": "A"})
    assert attribute != plain[0] and identity == plain[1]
    attribute, identity = hashes(tmp_path, "identifier", {"PC": "AB1 2"})
    assert attribute == plain[0] and identity != plain[1]


def test_a_value_in_another_column_is_another_row(tmp_path: Path) -> None:
    assert hashes(tmp_path, "one", {"DRUG2": "1011"})[0] != hashes(tmp_path, "other", {"DRUG3": "1011"})[0]


def test_columns_that_are_added_empty_or_moved_in_the_contract_change_no_hash(tmp_path: Path) -> None:
    table = TREATMENT.tables["ndtms"]
    columns = [*reversed(table.columns), Column(name="NEW_ONE", type="text", description="Added later")]
    changed = TREATMENT.model_copy(update={"tables": {"ndtms": table.model_copy(update={"columns": columns})}})
    assert hashes(tmp_path, "before", {"ETHNIC": "A"}) == hashes(tmp_path, "after", {"ETHNIC": "A"}, changed)
