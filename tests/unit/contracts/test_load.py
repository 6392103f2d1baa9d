"""Contracts are read strictly: what is wrong is told with the file and the place in it."""

from pathlib import Path

import pytest

from warehouse.contracts.load import ContractError, all_contracts, feeds, load_contract, load_suite

CONTRACT = """
feed: visits
title: Visits
owner: visits@example.org
description: Visits to a service
source: made up for tests
delivery: {kind: changes, cadence: daily, late_after_days: 1}
format: {encoding: utf-8, delimiter: ",", null_tokens: [""], date_format: YYYY-MM-DD}
code_lists:
  change_type: {I: Insert, U: Update, D: Delete}
  answer: {NO: Refused, ON: Going on}
tables:
  visits:
    file: "visits*.csv"
    grain: one row per visit
    keys: {record_key: [CLIENT], row_key: [CLIENT, VISIT]}
    columns:
      - {name: CHANGE_TYPE, type: code, codes: change_type, role: change_type, required: true, description: What happened}
      - {name: CLIENT, type: text, role: agency_id, required: true, description: Client}
      - {name: VISIT, type: integer, required: true, description: Number of the visit}
      - {name: SEEN, type: date, min: "2000-01-01", description: Day of the visit}
      - {name: ANSWER, type: code, codes: answer, description: Answer}
"""
SUITE = """
- table: visits
  expectations:
    - rule: seen_before_today
      expectation: expect_column_values_to_not_be_null
      kwargs: {column: seen}
      severity: warn
      message: The visit has no day
      reason: for the test
"""


def written(folder: Path, contract: str = CONTRACT, suite: str | None = None) -> Path:
    """An expectations folder with one contract, and a suite if given."""
    agency = folder / "clinic"
    agency.mkdir()
    (agency / "visits.yaml").write_text(contract, encoding="utf-8")
    if suite is not None:
        (agency / "visits.suite.yaml").write_text(suite, encoding="utf-8")
    return folder


def test_the_projects_own_contracts_and_suites_are_valid() -> None:
    contracts = all_contracts()
    assert [c.feed for c in contracts] == feeds() and len(contracts) >= 4
    for contract in contracts:
        load_suite(contract.feed)


def test_feeds_are_the_contract_files_and_not_the_suites(tmp_path: Path) -> None:
    assert feeds(written(tmp_path, suite=SUITE)) == ["visits"]


def test_codes_that_yaml_reads_as_booleans_stay_text(tmp_path: Path) -> None:
    contract = load_contract("visits", written(tmp_path))
    assert list(contract.codes(contract.tables["visits"].column("ANSWER"))) == ["NO", "ON"]


def test_a_missing_suite_is_an_empty_one(tmp_path: Path) -> None:
    assert load_suite("visits", written(tmp_path)).tables == []


def test_an_unknown_feed_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no feed called 'visit'. Feeds: visits"):
        load_contract("visit", written(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Visits", "titel: Visits", r"clinic/visits.yaml is not a valid contract:\n(.*\n)*  titel: unknown key"),
        ("description: Client}", "patern: x, description: Client}", r"tables\.visits\.columns\.CLIENT\.patern: unknown key"),
        ("description: Client}", "description: Client, of us}", r"columns\.CLIENT\.of us: unknown key; text that holds a comma needs quotes"),
        ("codes: answer", "codes: answers", r"visits\.ANSWER names a code list that does not exist or is empty: answers"),
        ("{NO: Refused", "{1: Refused", r"must be text; put quotes round 1"),
        ("{NO: Refused", "{ON: Refused", "key given twice: ON"),
        ("row_key: [CLIENT, VISIT]", "row_key: [CLIENT, CALL]", "row_key is made of columns that the table does not have: CALL"),
        ("row_key: [CLIENT, VISIT]", "other_key: [CLIENT]", "keys must hold a row_key"),
        ("name: SEEN", "name: seen day", r"columns\.seen day\.name: String should match pattern"),
        ("name: SEEN", f"name: S{'E' * 45}N", "at most 45 characters"),
        ("name: SEEN", "name: Client", "these names occur more than once among columns and keys, in lower case: client"),
        ("kind: changes", "kind: snapshot", "visits has a change type, but the feed does not deliver changes"),
        ("role: change_type, ", "", "visits needs a column with the role change_type"),
        ("role: agency_id", "role: customer", r"CLIENT\.role: Input should be"),
        ('min: "2000-01-01"', "min: 2000", "min and max are whole numbers of an integer column, or dates of a date column"),
        ("description: Client}", "ahead: true, description: Client}", "only a date can lie ahead of the night"),
        ("type: date, min", 'pattern: "[", type: date, min', "pattern is not a regular expression"),
        ("encoding: utf-8", "encoding: utf-7", "encoding must be one of utf-8"),
        ("YYYY-MM-DD}", "YYYY-MM}", "date_format holds YYYY, MM and DD once each"),
        ("feed: visits", "feed: calls", "feed is 'calls', but the file is named 'visits'"),
        ("feed: visits", "feed: [", "clinic/visits.yaml is not readable YAML"),
    ],
)
def test_what_is_wrong_with_a_contract_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CONTRACT
    with pytest.raises(ContractError, match=message):
        load_contract("visits", written(tmp_path, CONTRACT.replace(old, new)))


def test_consent_must_keep_the_columns_of_the_record_key(tmp_path: Path) -> None:
    consent = 'consent: {column: ANSWER, withheld: "NO", keep: [ANSWER]}\ntables:'
    with pytest.raises(ContractError, match=r"consent\.keep must hold the consent column and the columns of visits's record_key"):
        load_contract("visits", written(tmp_path, CONTRACT.replace("tables:", consent)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("table: visits", "table: calls", r"clinic/visits\.suite\.yaml: there is no table called 'calls' in visits\.yaml"),
        ("column: seen", "column: called", r"visits\.seen_before_today names columns that are not in the contract: called"),
        (
            "expect_column_values_to_not_be_null\n      kwargs: {column: seen}",
            "expect_spells_not_to_overlap\n      kwargs: {within: [client], start: seen, end: left}",
            r"visits\.seen_before_today names columns that are not in the contract: left",
        ),
        ("severity: warn", "severity: fatal", r"tables\.visits\.expectations\.seen_before_today\.severity: Input should be"),
    ],
)
def test_what_is_wrong_with_a_suite_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        load_suite("visits", written(tmp_path, suite=SUITE.replace(old, new)))


def test_a_changed_contract_is_read_again(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert load_contract("visits", folder).title == "Visits"
    path = folder / "clinic" / "visits.yaml"
    path.write_text(CONTRACT.replace("title: Visits", "title: Calls"), encoding="utf-8")
    assert load_contract("visits", folder).title == "Calls"
