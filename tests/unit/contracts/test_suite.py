"""The rules that follow from a contract."""

import json

import pytest

from warehouse.contracts.load import feeds, load_contract
from warehouse.contracts.suite import Rule, as_document, build


def rules_of(feed: str, table: str) -> dict[str, Rule]:
    return {rule.code: rule for rules in build(load_contract(feed)) if rules.table.name == table for rule in rules.rules}


def test_every_part_of_a_column_becomes_a_rule_with_its_severity_and_a_plain_message() -> None:
    rules = rules_of("treatment", "ndtms")
    assert rules["disrsn.codes"].expectation == "expect_column_values_to_be_in_set" and "80" in rules["disrsn.codes"].kwargs["value_set"]
    assert rules["dob.type"].kwargs == {"column": "dob__unparsed"}
    assert rules["dob.type"].message == "DOB is not a date written DD/MM/YYYY"
    assert rules["childwth.range"].message == "CHILDWTH is not between 0 and 30"
    assert rules["pc.pattern"].severity == "warn" and rules["finitial.pattern"].severity == "quarantine"
    assert rules["row_count"].severity == "refuse"
    assert rules["discharge_before_triage"].reason


def test_required_columns_are_asked_of_rows_that_must_carry_them() -> None:
    treatment, police = rules_of("treatment", "ndtms"), rules_of("police", "offences")
    assert treatment["dob.required"].where_set == ("_complete",)  # blank where consent is withheld
    assert treatment["dob.required"].where_unset == ("dob__unparsed",)  # unreadable text is not missing
    assert treatment["agncy.required"].where_set == ()  # kept without consent
    assert police["offence_date.required"].where_set == ("_complete",)  # blank in deletions
    assert police["nominal_id.required"].where_set == () and police["change_type.required"].where_set == ()


@pytest.mark.parametrize("feed", feeds())
def test_the_built_suite_is_plain_stable_and_has_no_rule_twice(feed: str) -> None:
    document = as_document(load_contract(feed))
    assert json.loads(json.dumps(document)) == document == as_document(load_contract(feed))
    for table in document["tables"].values():
        codes = [rule["rule"] for rule in table["rules"]]
        assert len(codes) == len(set(codes))
        assert all(rule["message"] and rule["severity"] in ("refuse", "quarantine", "warn") for rule in table["rules"])
