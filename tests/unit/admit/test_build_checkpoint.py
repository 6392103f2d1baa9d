"""A checkpoint as a whole: which rows are refused for what, what is repeated, and what is counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.admit.checkpoints import NIGHT, built, failed, lines, select

from warehouse.admit import building
from warehouse.admit.building import build_into
from warehouse.admit.facts import Facts
from warehouse.admit.files import FilesRefused
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract, Suite
from warehouse.contracts.suite import build

POLICE, BENEFITS, TREATMENT = load_contract("police"), load_contract("benefits"), load_contract("treatment")
NOMINAL = {
    "CHANGE_TYPE": "I", "NOMINAL_ID": "N1", "FORENAME": "Quill", "SURNAME": "Testcase", "DOB": "1980-04-12", "SEX": "M", "FORCE_CODE": "E23000001",
}  # fmt: skip
SPELL = {"CHANGE_TYPE": "I", "CLAIMANT_ID": "C1", "SPELL_ID": "S1", "BENEFIT_TYPE": "JSA", "START_DATE": "2024-01-01", "END_DATE": "2024-06-30"}


def nominals(tmp_path: Path, rows: list[dict[str, str]]) -> tuple[Path, Facts]:
    return built(tmp_path, POLICE, {"nominals": lines(POLICE, "nominals", [NOMINAL | row for row in rows])})


def violations(folder: Path, table: str) -> list[Any]:
    """Number and rule of every violation, in order."""
    return sorted(select(folder, f"{table}.violations", "_row_number, rule"))


def test_good_rows_break_nothing(tmp_path: Path) -> None:
    folder, facts = nominals(tmp_path, [{}, {"NOMINAL_ID": "N2"}])
    table = facts.tables["nominals"]
    assert (table.received, table.malformed, table.refused, table.repeated, failed(facts, "nominals")) == (2, 0, 0, 0, {})
    assert select(folder, "nominals.rows", "_row_number, nominal_id, sex") == [(1, "N1", "M"), (2, "N2", "M")]
    assert all(select(folder, f"nominals.{kind}", "*") == [] for kind in ("violations", "refused", "repeated"))
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        f"nominals.{kind}.parquet" for kind in ("refused", "repeated", "rows", "violations")
    ]


def test_a_row_that_breaks_several_rules_is_refused_once_with_all_of_them(tmp_path: Path) -> None:
    folder, facts = nominals(tmp_path, [{"SEX": "X", "DOB": "31/02/1980", "SURNAME": "", "PNC_ID": "nonsense"}, {"NOMINAL_ID": "N2"}])
    assert violations(folder, "nominals") == [(1, "dob.type"), (1, "pnc_id.pattern"), (1, "sex.codes"), (1, "surname.required")]
    ((number, rules, raw),) = select(folder, "nominals.refused", "_row_number, rules, raw")
    assert (number, rules) == (1, ["dob.type", "sex.codes", "surname.required"])  # the pattern is a warning
    assert json.loads(raw) == {
        "change_type": "I",
        "nominal_id": "N1",
        "forename": "Quill",
        "dob": "31/02/1980",
        "sex": "X",
        "pnc_id": "nonsense",
        "force_code": "E23000001",
    }
    assert facts.tables["nominals"].refused == 1


def test_violations_carry_the_agencys_own_ids_and_the_rules_column(tmp_path: Path) -> None:
    folder, _ = built(tmp_path, BENEFITS, {"benefit_spells": lines(BENEFITS, "benefit_spells", [SPELL | {"BENEFIT_TYPE": "XX"}])})
    found = select(folder, "benefit_spells.violations", "rule, severity, column_name, record_id, record_key is not null")
    assert found == [("benefit_type.codes", "quarantine", "benefit_type", "CLAIMANT_ID C1, SPELL_ID S1", True)]


def test_malformed_rows_are_refused_as_they_came(tmp_path: Path) -> None:
    text = lines(POLICE, "nominals", [NOMINAL]) + "I,N2,too,short\n" + lines(POLICE, "nominals", [NOMINAL | {"NOMINAL_ID": "N3"}]).split("\n")[1] + "\n"
    folder, facts = built(tmp_path, POLICE, {"nominals": text})
    assert select(folder, "nominals.rows", "_row_number") == [1, 3]
    assert select(folder, "nominals.violations", "_row_number, rule, severity, record_id") == [(2, "malformed_row", "quarantine", None)]
    ((number, rules, raw),) = select(folder, "nominals.refused", "_row_number, rules, raw")
    assert (number, rules, json.loads(raw)) == (2, ["malformed_row"], {"fields": ["I", "N2", "too", "short"]})
    table = facts.tables["nominals"]
    assert (table.received, table.malformed, table.refused) == (3, 1, 1)
    assert [(finding.rule, finding.checked_rows, finding.failed_rows) for finding in facts.findings] == [("malformed_row", 3, 1)]


def test_rows_of_one_key_that_contradict_each_other_are_refused_and_repeats_kept_once(tmp_path: Path) -> None:
    other = [{"NOMINAL_ID": "N2"}, {"NOMINAL_ID": "N2"}, {"NOMINAL_ID": "N2"}, {"NOMINAL_ID": "N3"}, {"NOMINAL_ID": ""}, {"NOMINAL_ID": ""}]
    folder, facts = nominals(tmp_path, [{}, {}, {"SURNAME": "Other"}, *other])
    assert select(folder, "nominals.refused", "_row_number, rules") == [
        (1, ["duplicate_key"]), (2, ["duplicate_key"]), (3, ["duplicate_key"]), (8, ["nominal_id.required"]), (9, ["nominal_id.required"]),
    ]  # fmt: skip
    assert select(folder, "nominals.repeated", "_row_number") == [5, 6]
    assert failed(facts, "nominals") == {"duplicate_key": 3, "repeated_row": 2, "nominal_id.required": 2}


def test_padding_makes_no_contradiction_but_unreadable_text_does(tmp_path: Path) -> None:
    folder, _ = nominals(tmp_path, [{}, {"SURNAME": " Testcase "}, {"NOMINAL_ID": "N2", "DOB": ""}, {"NOMINAL_ID": "N2", "DOB": "soon"}])
    assert select(folder, "nominals.repeated", "_row_number") == [2]
    assert [rule for number, rule in violations(folder, "nominals") if number in (3, 4)] == ["duplicate_key", "dob.type", "duplicate_key"]


def test_a_refused_row_that_repeats_another_is_refused(tmp_path: Path) -> None:
    folder, facts = nominals(tmp_path, [{"SEX": "X"}, {"SEX": "X"}])
    assert select(folder, "nominals.refused", "_row_number") == [1, 2]
    assert select(folder, "nominals.repeated", "_row_number") == []
    assert facts.tables["nominals"].repeated == 0


def test_rules_across_rows_are_asked_of_rows_that_come_in_alone(tmp_path: Path) -> None:
    """A refused spell, a repeat, a deletion overlap with nothing; of those left, the later of two that overlap."""
    rows = [
        SPELL,
        SPELL | {"SPELL_ID": "S2", "START_DATE": "2024-03-01", "END_DATE": "2024-04-01", "END_REASON": "?"},
        SPELL | {"SPELL_ID": "S3", "START_DATE": "2024-06-30", "END_DATE": "2024-12-31"},
        SPELL | {"SPELL_ID": "S3", "START_DATE": "2024-06-30", "END_DATE": "2024-12-31"},
        SPELL | {"SPELL_ID": "S4", "START_DATE": "2024-12-01", "END_DATE": ""},
        SPELL | {"SPELL_ID": "S5", "CHANGE_TYPE": "D", "START_DATE": "2024-02-01"},
        SPELL | {"SPELL_ID": "S6", "CLAIMANT_ID": "C2"},
    ]
    folder, facts = built(tmp_path, BENEFITS, {"benefit_spells": lines(BENEFITS, "benefit_spells", rows)})
    assert violations(folder, "benefit_spells") == [(2, "end_reason.codes"), (4, "repeated_row"), (5, "benefit_spells_overlap")]
    (overlap,) = [rule for rule in facts.tables["benefit_spells"].rules if rule.rule == "benefit_spells_overlap"]
    assert (overlap.checked_rows, overlap.failed_rows) == (4, 1)


def test_keys_are_looked_for_in_the_other_tables_of_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found even where the other row is refused: its own fault is told of it."""
    contract = two_tables()
    rule = {"rule": "parent_missing", "expectation": "expect_key_to_exist", "kwargs": {"columns": ["parent"], "in_table": "parents", "in_columns": ["id"]}}
    suite = Suite.model_validate({"tables": [{"table": "children", "expectations": [rule | {"severity": "quarantine", "message": "m", "reason": "r"}]}]})
    monkeypatch.setattr(building, "rules_of", lambda contract: build(contract, suite))
    tables = {"children": "ID,PARENT\n1,a\n2,b\n3,c\n4,\n", "parents": "ID,KIND\na,\nb,wrong\n"}
    folder, _ = built(tmp_path, contract, tables)
    assert violations(folder, "children") == [(3, "parent_missing")]
    assert violations(folder, "parents") == [(2, "kind.codes")]


def two_tables() -> Contract:
    """A feed of snapshots with two tables, the first of which points to the second."""

    def table(file: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
        identity = {"name": "ID", "type": "text", "role": "agency_id", "required": True, "description": "Id"}
        return {"file": file, "grain": "one row per id", "keys": {"row_key": ["ID"]}, "columns": [identity, *columns]}

    parent = {"name": "PARENT", "type": "text", "description": "The parent's id"}
    kind = {"name": "KIND", "type": "code", "codes": "kind", "description": "Kind"}
    return Contract.model_validate(
        {
            "feed": "families", "title": "t", "owner": "o", "description": "d", "source": "s", "code_lists": {"kind": {"K": "Known"}},
            "delivery": {"kind": "snapshot", "cadence": "daily", "late_after_days": 1},
            "format": {"encoding": "utf-8", "delimiter": ",", "null_tokens": [""], "date_format": "YYYY-MM-DD"},
            "tables": {"children": table("children*", [parent]), "parents": table("parents*", [kind])},
        }
    )  # fmt: skip


def test_what_rules_are_asked_of_is_counted(tmp_path: Path) -> None:
    """Of every row; or, where a column may be left empty for want of consent, of complete rows whose text could be read."""
    client = {"AGNCY": "N0852", "CLIENTID": "1", "CONSENT": "Y", "DOB": "12/04/1980"}
    rows = [
        client | {"EPISODID": "1"},
        client | {"EPISODID": "2", "DOB": "soon"},
        client | {"EPISODID": "3", "DOB": ""},
        client | {"EPISODID": "4", "CONSENT": "N"},
    ]
    _, facts = built(tmp_path, TREATMENT, {"ndtms": lines(TREATMENT, "ndtms", rows)})
    counted = {rule.rule: (rule.checked_rows, rule.failed_rows) for rule in facts.tables["ndtms"].rules}
    assert {name: counted[name] for name in ("dob.type", "dob.required", "sex.required", "clientid.required", "duplicate_key")} == {
        "dob.type": (4, 1), "dob.required": (2, 1), "sex.required": (3, 3), "clientid.required": (4, 0), "duplicate_key": (4, 0),
    }  # fmt: skip


def test_refused_rows_of_people_without_consent_keep_nothing_else(tmp_path: Path) -> None:
    row = {"AGNCY": "bad", "CLIENTID": "1", "CONSENT": "N", "DOB": "12/04/1980", "SEX": "M"}
    folder, _ = built(tmp_path, TREATMENT, {"ndtms": lines(TREATMENT, "ndtms", [row])})
    ((raw, rules),) = select(folder, "ndtms.refused", "raw, rules")
    assert json.loads(raw) == {"agncy": "bad", "clientid": "1", "consent": "N"} and rules == ["agncy.pattern"]


def test_a_column_the_file_lacks_is_empty_where_that_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.admit.files.header_findings", lambda *_: [])
    text = "EXTRA,SURNAME,NOMINAL_ID,CHANGE_TYPE\nignored,Testcase,N1,I\n"
    folder, _ = built(tmp_path, POLICE, {"nominals": text})
    assert select(folder, "nominals.rows", "change_type, nominal_id, surname, forename, dob") == [("I", "N1", "Testcase", None, None)]


def test_facts_survive_being_written_down(tmp_path: Path) -> None:
    _, facts = nominals(tmp_path, [{"SEX": "X"}, {}])
    assert Facts.from_json(facts.to_json()) == facts


@pytest.mark.parametrize(
    ("contract", "files", "rule"),
    [
        (TREATMENT, {}, "missing_file"),
        (POLICE, {}, "missing_file"),
        (POLICE, {"nominals": ["a.csv", "b.csv"]}, "one_file_per_table"),
    ],
)
def test_files_that_are_missing_or_too_many(tmp_path: Path, contract: Contract, files: dict[str, list[str]], rule: str) -> None:
    (tmp_path / "a.csv").write_text(lines(POLICE, "nominals", [NOMINAL]), encoding="utf-8")
    with pytest.raises(FilesRefused) as caught:
        build_into(tmp_path, tmp_path, NIGHT, contract, files, "hash")
    assert {finding.rule for finding in caught.value.findings} == {rule}


def test_every_faulty_file_of_a_delivery_is_told(tmp_path: Path) -> None:
    for name in ("nominals", "arrests"):
        (tmp_path / f"{name}.txt").write_bytes(b"")
    with pytest.raises(FilesRefused) as caught:
        build_into(tmp_path, tmp_path, NIGHT, POLICE, {name: [f"{name}.txt"] for name in ("nominals", "arrests")}, "hash")
    assert [(finding.table, finding.rule) for finding in caught.value.findings] == [("nominals", "empty_file"), ("arrests", "empty_file")]
