"""The exact difference between a file's header and the contract's columns, and what follows from it."""

import pytest
from tests.unit.admit.drifting import visits

from warehouse.admit.deliveries import Finding
from warehouse.admit.drift import header_findings

EXPECTED = [column.name for column in visits().tables["visits"].columns]
pytestmark = pytest.mark.usefixtures("own_thresholds")


def found(*names: str) -> dict[str, Finding]:
    return {finding.rule: finding for finding in header_findings(EXPECTED, list(names), "visits", "visits")}


def changed(**new: str) -> list[str]:
    return [new.get(name, name) for name in EXPECTED]


def test_the_contracts_columns_raise_nothing() -> None:
    assert found(*EXPECTED) == {}


def test_a_missing_column_refuses_and_is_named() -> None:
    (finding,) = found(*[name for name in EXPECTED if name != "SEEN"]).values()
    assert (finding.rule, finding.severity, finding.column, finding.failed_rows) == ("missing_column", "refuse", "seen", 1)
    assert "does not have the column SEEN of the contract" in finding.message


def test_a_column_may_be_allowed_to_stay_away() -> None:
    (finding,) = found(*[name for name in EXPECTED if name != "NOTE"]).values()
    assert (finding.rule, finding.severity) == ("missing_column", "warn")


def test_of_several_missing_columns_the_strictest_policy_holds() -> None:
    (finding,) = found(*[name for name in EXPECTED if name not in ("NOTE", "SEEN")]).values()
    assert (finding.severity, finding.failed_rows) == ("refuse", 2)
    assert "the columns SEEN, NOTE" in finding.message


@pytest.mark.parametrize("place", [0, 3, len(EXPECTED)])
def test_a_new_column_warns_wherever_it_stands(place: int) -> None:
    (finding,) = found(*EXPECTED[:place], "MOOD", *EXPECTED[place:]).values()
    assert (finding.rule, finding.severity, finding.column) == ("new_column", "warn", "mood")
    assert "the column MOOD, which the contract does not name" in finding.message


def test_a_renamed_column_is_told_with_both_names() -> None:
    (finding,) = found(*changed(SEEN="SEEN_ON")).values()
    assert (finding.rule, finding.severity, finding.column) == ("renamed_column", "refuse", "seen")
    assert "SEEN is now SEEN_ON" in finding.message


def test_a_renamed_first_column_and_two_in_a_row_are_told() -> None:
    (finding,) = found(*changed(VISIT="VISIT_ID", SURNAME="LAST_NAME")).values()
    assert "VISIT is now VISIT_ID, SURNAME is now LAST_NAME" in finding.message


def test_a_column_in_other_letters_is_a_renamed_one() -> None:
    assert "SEEN is now Seen" in found(*changed(SEEN="Seen"))["renamed_column"].message


def test_a_missing_and_a_new_column_elsewhere_are_two_findings() -> None:
    findings = found(*[name for name in EXPECTED if name != "SEEN"], "MOOD")
    assert set(findings) == {"missing_column", "new_column"}


def test_a_column_sent_twice_refuses() -> None:
    (finding,) = found(*EXPECTED, "ANSWER").values()
    assert (finding.rule, finding.severity) == ("duplicated_column", "refuse")
    assert "the column ANSWER more than once" in finding.message


def test_reordered_columns_warn_and_tell_which_moved() -> None:
    (finding,) = found("NOTE", *EXPECTED[:-1]).values()
    assert (finding.rule, finding.severity, finding.failed_rows) == ("reordered_columns", "warn", 1)
    assert "the column NOTE moved" in finding.message


def test_several_differences_are_all_told() -> None:
    names = changed(SEEN="SEEN_ON")
    findings = found(names[1], names[0], *names[2:], "MOOD", "HAPPY")
    assert set(findings) == {"renamed_column", "reordered_columns", "new_column", "duplicated_column"}


def test_a_file_without_a_header_refuses_and_repeats_nothing_of_it() -> None:
    (finding,) = found("V1", "Bloggs", "2026-01-01", "", "DRG", "Y", "").values()
    assert (finding.rule, finding.severity) == ("header", "refuse")
    assert "the first line is not a header: 7 of the 7 columns" in finding.message
    assert "Bloggs" not in finding.message


def test_a_name_that_could_be_a_value_is_not_repeated() -> None:
    finding = found(*EXPECTED, "Bloggs; 1 Acacia Road, 12/03/1984")["new_column"]
    assert "Bloggs" not in finding.message and finding.column is None
    assert "(an unusual name)" in finding.message
