"""The rules across columns of the four first feeds: each is broken by the row it was written for, and by no other row here.

Every table has one good row; an example changes some of its values. Rules about several rows are tested with the admission.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from warehouse.contracts.load import load_contract, load_suite
from warehouse.contracts.model import SuiteRule, Table

NIGHT = date(2026, 11, 1)
SQL_TYPES = {"text": "varchar", "code": "varchar", "integer": "integer", "date": "date", "flag": "boolean"}
UNPARSED = ("date", "integer", "flag")
PAIR, CONDITION = "expect_column_pair_values_a_to_be_greater_than_b", "expect_rows_to_meet"
Values = dict[str, Any]

CLIENT: Values = {
    "dob": "1984-04-25", "sex": "F", "refld": "2026-01-05", "triaged": "2026-01-12", "cplandt": "2026-01-12", "drug1": "1011", "drug1age": 19,
    "route": "3", "drug2": "3201", "drug3": "9997", "injstat": "N", "inject": False, "pregnant": False, "prntstat": "12", "childwth": 1, "dat": "A06B",
    "la": "E06000047", "alcddays": 4, "alcunits": 6, "disd": "2026-09-20", "disrsn": "80", "modal": "95", "modid": "7", "refmoddt": "2026-01-13",
    "faomoddt": "2026-01-15", "modst": "2026-01-20", "modend": "2026-09-18", "modexit": "A", "submoddt": "2026-05-01", "topdate": "2026-09-19",
    "topid": "9", "trstage": "E", "opiuse": 4, "crause": 0, "cocause": 0, "amphuse": 0, "otdrguse": 0, "ivdrguse": 2, "sharing": False,
}  # fmt: skip
GOOD: dict[tuple[str, str], Values] = {
    ("treatment", "ndtms"): CLIENT,
    ("police", "nominals"): {"change_type": "I", "dob": "1984-04-25"},
    ("police", "aliases"): {"change_type": "I", "forename": "Jo", "surname": "Bloggs"},
    ("police", "addresses"): {"change_type": "I", "address_line": "1 High Street", "from_date": "2020-01-01", "to_date": "2021-01-01"},
    ("police", "offences"): {
        "offence_date": "2026-01-01", "proven_by": "C", "disposal_code": "C01", "disposal_date": "2026-02-01", "custody_start": "2026-01-02",
        "custody_end": "2026-04-01",
    },
    ("police", "arrests"): {"opiate_result": "P", "cocaine_result": "N"},
    ("benefits", "claimants"): {"nino": "QQ123456C".replace("QQ", "AB"), "dob": "1984-04-25"},
    ("benefits", "benefit_spells"): {
        "claimant_id": "C1", "benefit_type": "UC", "conditionality": "S", "start_date": "2025-01-01", "end_date": "2025-06-01", "end_reason": "W",
    },
    ("benefits", "employment_spells"): {"start_date": "2025-01-01", "end_date": "2025-04-05", "end_date_quality": "D"},
    ("housing", "people"): {"relationship": "A", "dob": "1984-04-25", "nino": "AB123456C"},
    ("housing", "temporary_accommodation"): {"case_id": "HC1", "entry_date": "2026-01-01", "exit_date": "2026-02-01"},
    ("housing", "duties"): {"start_date": "2026-01-01", "end_date": "2026-02-01", "end_reason": "SEC", "accommodation_secured": "3"},
    ("housing", "support_services"): {
        "dob": "1984-04-25", "nino": "AB123456C", "entry_date": "2026-01-01", "exit_date": "2026-02-01", "planned_exit": True, "settled_need": True,
        "settled_achieved": True,
    },
}  # fmt: skip
OPEN: Values = {"disd": None, "disrsn": None, "modend": None, "modexit": None}
NO_TOP: Values = {"topdate": None, "topid": None, "trstage": None, "opiuse": None, "crause": None, "cocause": None, "amphuse": None, "otdrguse": None}
TREATMENT: list[tuple[str, Values]] = [
    ("discharge_before_triage", {"disd": "2026-01-11"}),
    ("discharge_before_triage", {"disd": "2026-01-11", "disrsn": None}),
    ("triage_before_referral", {"refld": "2026-01-13"}),
    ("referral_before_birth", {"dob": "2026-01-06"}),
    ("under_18_at_triage", {"dob": "2008-01-13", "drug1age": 14}),
    ("first_use_after_triage", {"drug1age": 43}),
    ("care_plan_before_referral", {"cplandt": "2026-01-04"}),
    ("discharge_reason_without_date", {"disd": None}),
    ("discharge_date_without_reason", {"disrsn": None}),
    ("no_first_drug", {"drug1": "9996"}),
    ("no_first_drug", {"drug1": "9996", "drug2": "9996"}),
    ("misplaced_no_drug_code", {"drug2": "9997"}),
    ("misplaced_no_drug_code", {"drug3": "9996"}),
    ("third_drug_without_second", {"drug2": "9996", "drug3": "7000"}),
    ("third_drug_without_second", {"drug2": None, "drug3": "7000"}),
    ("drug_given_twice", {"drug2": "1011"}),
    ("drug_given_twice", {"drug3": "3201"}),
    ("alcohol_injected", {"drug1": "7000", "route": "1", "injstat": "C"}),
    ("injects_but_never_injected", {"route": "1"}),
    ("injects_but_never_injected", {"inject": True}),
    ("units_and_drinking_days_disagree", {"alcddays": 0}),
    ("units_and_drinking_days_disagree", {"alcunits": 0}),
    ("pregnant_and_male", {"sex": "M", "pregnant": True}),
    ("children_disagree", {"childwth": 0}),
    ("children_disagree", {"prntstat": "14", "childwth": 2}),
    ("outside_england_with_authority", {"dat": "Z00B"}),
    ("modality_details_without_modality", {"modal": None}),
    ("modality_end_before_start", {"modend": "2026-01-19"}),
    ("modality_end_before_start", {"modend": "2026-01-19", "modexit": None}),
    ("modality_start_before_referral", {"refmoddt": "2026-01-21", "faomoddt": "2026-01-21"}),
    ("appointment_before_referral", {"faomoddt": "2026-01-12"}),
    ("modality_start_after_discharge", {"modst": "2026-09-21", "modend": "2026-09-25"}),
    ("modality_start_after_discharge", {"modst": "2026-09-21", "modend": None, "modexit": None}),
    ("modality_end_after_discharge", {"modend": "2026-09-21"}),
    ("modality_end_without_start", {"modst": None}),
    ("modality_exit_without_end", {"modend": None}),
    ("modality_end_without_exit", {"modexit": None}),
    ("review_before_triage", {"submoddt": "2026-01-11"}),
    ("top_without_date", {"topdate": None}),
    ("top_without_stage", {"trstage": None}),
    ("top_without_answers", {"opiuse": None, "crause": None, "cocause": None, "amphuse": None, "otdrguse": None}),
    ("top_long_before_triage", {"topdate": "2025-12-28"}),
    ("top_long_after_discharge", {"topdate": "2026-10-05"}),
    ("injected_without_use", {"ivdrguse": 5}),
    ("shared_without_injecting", {"ivdrguse": 0, "sharing": True}),
]
EXAMPLES: list[tuple[str, str, str, Values]] = [("treatment", "ndtms", rule, values) for rule, values in TREATMENT] + [
    ("police", "nominals", "under_10", {"dob": "2016-11-02"}),
    ("police", "aliases", "alias_says_nothing", {"forename": None, "surname": None}),
    ("police", "addresses", "address_to_before_from", {"to_date": "2019-12-31"}),
    ("police", "addresses", "address_says_nothing", {"address_line": None}),
    ("police", "offences", "disposal_before_offence", {"disposal_date": "2025-12-31"}),
    ("police", "offences", "caution_and_conviction", {"proven_by": "K"}),
    ("police", "offences", "custody_end_before_start", {"custody_end": "2026-01-01"}),
    ("police", "offences", "custody_end_before_start", {"custody_end": "2026-01-01", "disposal_code": "C05"}),
    ("police", "offences", "custody_before_offence", {"custody_start": "2025-12-31"}),
    ("police", "offences", "custody_end_without_start", {"custody_start": None}),
    ("police", "offences", "custody_without_sentence", {"disposal_code": "C05"}),
    ("police", "arrests", "one_sample_two_stories", {"opiate_result": "R"}),
    ("benefits", "claimants", "nino_prefix_never_issued", {"nino": "GB123456C"}),
    ("benefits", "claimants", "nino_prefix_never_issued", {"nino": "AO123456C"}),
    ("benefits", "claimants", "nino_prefix_never_issued", {"nino": "DA123456C"}),
    ("benefits", "claimants", "under_16", {"dob": "2010-11-02"}),
    ("benefits", "benefit_spells", "spell_end_before_start", {"end_date": "2024-12-31"}),
    ("benefits", "benefit_spells", "end_reason_without_end", {"end_date": None}),
    ("benefits", "benefit_spells", "conditionality_without_universal_credit", {"benefit_type": "ESA"}),
    ("benefits", "benefit_spells", "conditionality_without_universal_credit", {"conditionality": None}),
    ("benefits", "benefit_spells", "benefit_before_it_began", {"start_date": "2013-04-28"}),
    ("benefits", "employment_spells", "job_end_before_start", {"end_date": "2024-12-22"}),
    ("benefits", "employment_spells", "end_quality_without_end", {"end_date": None}),
    ("benefits", "employment_spells", "end_quality_without_end", {"end_date_quality": None}),
    ("benefits", "employment_spells", "defaulted_end_not_tax_year_end", {"end_date": "2025-04-06"}),
    ("housing", "people", "applicant_under_16", {"dob": "2010-11-02"}),
    ("housing", "people", "nino_prefix_never_issued", {"nino": "ZZ123456C"}),
    ("housing", "temporary_accommodation", "stay_end_before_start", {"exit_date": "2025-12-31"}),
    ("housing", "duties", "duty_end_before_start", {"end_date": "2025-12-31"}),
    ("housing", "duties", "duty_end_before_start", {"end_date": "2025-12-31", "end_reason": None}),
    ("housing", "duties", "end_reason_without_end", {"end_date": None}),
    ("housing", "duties", "end_without_reason", {"end_reason": None}),
    ("housing", "duties", "secured_without_accommodation", {"accommodation_secured": None}),
    ("housing", "duties", "accommodation_before_end", {"end_date": None, "end_reason": None}),
    ("housing", "support_services", "service_exit_before_entry", {"exit_date": "2025-12-31"}),
    ("housing", "support_services", "nino_prefix_never_issued", {"nino": "TN123456C"}),
    ("housing", "support_services", "under_16_at_entry", {"dob": "2010-01-02"}),
    ("housing", "support_services", "outcome_before_exit", {"exit_date": None}),
    ("housing", "support_services", "settled_without_need", {"settled_need": False}),
]
# Rows that look odd and are right.
ACCEPTED: list[tuple[str, str, Values]] = [
    ("treatment", "ndtms", OPEN | NO_TOP),
    ("treatment", "ndtms", {"dob": "2008-01-12", "drug1age": 14}),
    ("treatment", "ndtms", {"disd": "2026-01-12", "modst": None, "modend": None, "modexit": None} | NO_TOP),
    ("treatment", "ndtms", {"drug2": None, "drug3": None}),
    ("treatment", "ndtms", {"drug2": "9996"}),
    ("treatment", "ndtms", {"topdate": "2026-10-30", "trstage": "P"}),
    ("treatment", "ndtms", {"topdate": "2025-12-29", "trstage": "S"}),
    ("treatment", "ndtms", {"dat": "Z00B", "la": None}),
    ("treatment", "ndtms", {"opiuse": None}),
    ("treatment", "ndtms", dict.fromkeys(CLIENT)),
    # What breaks a rule of its own column breaks no other: values that cannot be read, are unknown codes, or out of range.
    ("treatment", "ndtms", {"disd": None, "disd__unparsed": 1}),
    ("treatment", "ndtms", {"modst": None, "modst__unparsed": 1}),
    ("treatment", "ndtms", {"modend": None, "modend__unparsed": 1}),
    ("treatment", "ndtms", {"topdate": None, "topdate__unparsed": 1}),
    ("treatment", "ndtms", {"ivdrguse": 35}),
    ("treatment", "ndtms", {"cplandt": None, "alcddays": None, "childwth": None}),
    ("treatment", "ndtms", {"drug1age": 106}),
    ("treatment", "ndtms", {"prntstat": "14", "childwth": 37}),
    ("treatment", "ndtms", {"sex": "QQ", "pregnant": True}),
    ("treatment", "ndtms", {"drug1": "QQ"}),
    ("treatment", "ndtms", {"drug2": "QQ"}),
    ("treatment", "ndtms", {"injstat": "QQ", "route": "QQ"}),
    ("police", "offences", {"proven_by": "QQ"}),
    ("police", "offences", {"disposal_code": "QQ"}),
    ("police", "offences", {"disposal_code": "QQ", "proven_by": "K"}),
    ("police", "offences", {"custody_start": None, "custody_start__unparsed": 1}),
    ("police", "nominals", {"dob": "2026-11-05"}),
    ("police", "arrests", {"opiate_result": "QQ", "cocaine_result": "X"}),
    ("police", "aliases", {"forename": None, "surname": None, "dob__unparsed": 1}),
    ("benefits", "benefit_spells", {"benefit_type": "QQ"}),
    ("benefits", "benefit_spells", {"end_date": None, "end_date__unparsed": 1}),
    ("benefits", "employment_spells", {"end_date": None, "end_date__unparsed": 1}),
    ("housing", "duties", {"end_date": None, "end_date__unparsed": 1}),
    ("housing", "support_services", {"exit_date": None, "exit_date__unparsed": 1}),
    ("housing", "support_services", {"dob": "2026-11-05"}),
    ("police", "offences", {"custody_start": None, "custody_end": None, "disposal_code": "K01", "proven_by": "K"}),
    ("police", "offences", {"custody_end": None}),
    ("police", "aliases", {"change_type": "D", "forename": None, "surname": None}),
    ("police", "arrests", {"opiate_result": "X", "cocaine_result": "R"}),
    ("benefits", "benefit_spells", {"end_date": None, "end_reason": None}),
    ("benefits", "benefit_spells", {"end_reason": None}),
    ("benefits", "benefit_spells", {"benefit_type": "DLA", "conditionality": None, "start_date": "1992-04-06"}),
    ("benefits", "employment_spells", {"end_date": None, "end_date_quality": None}),
    ("benefits", "employment_spells", {"end_date": "2025-02-14", "end_date_quality": "R"}),
    ("housing", "people", {"relationship": "C", "dob": "2020-01-01"}),
    ("housing", "duties", {"end_date": None, "end_reason": None, "accommodation_secured": None}),
    ("housing", "support_services", {"exit_date": None, "planned_exit": None, "settled_achieved": None}),
    ("housing", "support_services", {"settled_need": False, "settled_achieved": None}),
]


def broken(feed: str, name: str, changed: Values) -> set[str]:
    """The rules about single rows that the table's good row breaks with some values changed."""
    table = load_contract(feed).tables[name]
    row = GOOD[feed, name] | changed
    values = ", ".join(_value(row.get(c.field), c.type) + f" as {c.field}" for c in table.columns)
    values += "".join(f", {_value(row.get(name), 'integer')} as {name}" for c in table.columns if c.type in UNPARSED and (name := f"{c.field}__unparsed"))
    rules = {rule.rule: _fails(rule) for rule in row_rules(feed, table)}
    found = duckdb.sql(
        f"select {', '.join(f'coalesce({fails}, false)' for fails in rules.values())} from (select {values}, date '{NIGHT}' as night)"
    ).fetchall()
    return {rule for rule, fails in zip(rules, found[0], strict=True) if fails}


def row_rules(feed: str, table: Table) -> list[SuiteRule]:
    return [rule for rule in load_suite(feed).rules(table.name) if rule.expectation in (PAIR, CONDITION)]


def _fails(rule: SuiteRule) -> str:
    return f"{rule.kwargs['column_A']} < {rule.kwargs['column_B']}" if rule.expectation == PAIR else f"not ({rule.kwargs['condition']})"


def _value(value: Any, column_type: str) -> str:
    return f"{'null' if value is None else repr(value)}::{SQL_TYPES[column_type]}"


@pytest.mark.parametrize(("feed", "table"), GOOD)
def test_a_good_row_breaks_nothing(feed: str, table: str) -> None:
    assert broken(feed, table, {}) == set()


@pytest.mark.parametrize(("feed", "table", "rule", "changed"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_is_broken_by_the_row_it_was_written_for_and_no_other_rule_is(feed: str, table: str, rule: str, changed: Values) -> None:
    assert broken(feed, table, changed) == {rule}


@pytest.mark.parametrize(("feed", "table", "changed"), ACCEPTED)
def test_rows_that_look_odd_but_are_right_break_nothing(feed: str, table: str, changed: Values) -> None:
    assert broken(feed, table, changed) == set()


def test_every_rule_about_single_rows_has_an_example() -> None:
    shown = {(feed, table, rule) for feed, table, rule, _ in EXAMPLES}
    written = {
        (feed, name, rule.rule) for feed in {feed for feed, _ in GOOD} for name, table in load_contract(feed).tables.items() for rule in row_rules(feed, table)
    }
    assert written == shown


def test_every_rule_says_what_is_wrong_and_why_in_a_sentence() -> None:
    for feed in {feed for feed, _ in GOOD}:
        for part in load_suite(feed).tables:
            for rule in part.expectations:
                assert len(rule.message.split()) >= 4 and len(rule.reason.split()) >= 5, rule.rule
                assert not rule.message.endswith("."), rule.rule
