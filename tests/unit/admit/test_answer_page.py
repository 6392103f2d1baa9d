"""The answer's page: what became of the delivery, what to do, and nothing but the agency's own ids."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from warehouse.admit.answer.facts import DeliveryFacts, Failed, File
from warehouse.admit.answer.listing import RowRule
from warehouse.admit.answer.page import Broken, page
from warehouse.contracts.load import load_contract

CONTRACT = load_contract("benefits")
ADMITTED = DeliveryFacts(
    12, "benefits", date(2026, 11, 2), "admitted", datetime(2026, 11, 2, 1, 2, tzinfo=UTC), None, None, date(2026, 11, 1),
    [File("claimants", "claimants_1.psv", 812_345, "ab" * 32, 7000, 6500, 12, 488, 0, 6900)], [],
)  # fmt: skip
QUARANTINED = Broken(RowRule("claimants", "surname.required", "quarantine", "surname", 12, [(5, "CLAIMANT_ID C5")]), "SURNAME is missing", "Linkage needs it")
WARNED = Broken(RowRule("claimants", "under_16", "warn", "dob", 1, [(7, "CLAIMANT_ID C7")]), "The claimant is under 16", "")


def text(facts: DeliveryFacts = ADMITTED, whole: tuple[Failed, ...] = (), rules: tuple[Broken, ...] = ()) -> str:
    """The page as a reader sees it: without markup, in single spaces."""
    markup = re.sub(r"(?s)<(style|title).*?</\1>", "", page(facts, CONTRACT, whole, rules))
    return " ".join(re.sub("<[^>]+>", " ", markup).split())


def test_a_good_delivery_is_accepted_and_nothing_is_asked() -> None:
    found = text()
    assert "Accepted Your delivery was taken in. There is nothing to correct." in found
    assert "What we ask of you" not in found and "Quarantined rows" not in found
    assert "claimants_1.psv 812.3 kB" in found and "7,000 6,500 488 12 +100" in found


def test_quarantined_rows_are_told_with_rule_reason_number_and_first_records() -> None:
    found = text(rules=(QUARANTINED, WARNED))
    assert "send each of them again as an update or insert" in found
    quarantine, warnings = found.split("Warnings These rows were taken in")
    assert "surname.required SURNAME is missing Linkage needs it 12" in quarantine and "5 CLAIMANT_ID C5 and 11 more" in quarantine
    assert "under_16 The claimant is under 16 1" in warnings and "and 0 more" not in warnings


def test_an_agency_of_snapshots_is_told_that_its_next_delivery_brings_the_correction() -> None:
    found = " ".join(page(ADMITTED, load_contract("treatment"), [], [QUARANTINED]).split())
    assert "your next full delivery brings them" in found


def test_a_refused_delivery_says_so_why_and_what_to_send() -> None:
    missing = Failed("claimants", "missing_column", "sex", "refuse", 1, "the file does not have the column SEX of the contract; send the agreed columns")
    refused = replace(ADMITTED, status="refused", files=[replace(ADMITTED.files[0], received=None, admitted=None, quarantined=None, unchanged=None)])
    found = text(refused, whole=(missing,))
    assert "Refused Nothing of this delivery was taken in." in found
    assert "Send every file of the delivery again for 2 November 2026" in found
    assert "The file does not have the column SEX of the contract; send the agreed columns Refused missing_column" in found
    assert "Taken in" not in found and "The rows listed" not in found
    assert "Rows that break rules They were found before the delivery was refused" in text(refused, rules=(QUARANTINED,))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("duplicate", "Received before Every file is the same, byte for byte"),
        ("superseded", "Replaced Delivery 13 of the same night has taken its place."),
        ("rejected", "Withdrawn The warehouse took this delivery out again."),
    ],
)
def test_other_ends_of_a_delivery_are_told(status: str, words: str) -> None:
    assert words in text(replace(ADMITTED, status=status, superseded_by=13))


def test_findings_about_the_delivery_that_only_warn_are_to_be_looked_at() -> None:
    drifted = Failed("claimants", "sex.code_mix", "sex", "warn", 1, "30.0% of the values of SEX have another code")
    assert "nothing to correct" not in text(whole=(drifted,)) and "Read what is told about the delivery as a whole" in text(whole=(drifted,))
    assert "claimants 30.0% of the values of SEX have another code To look at sex.code_mix" in text(whole=(drifted,))


def test_ids_cannot_bring_markup_into_the_page() -> None:
    bad = replace(QUARANTINED, rule=replace(QUARANTINED.rule, first=[(5, "CLAIMANT_ID <script>alert(1)</script>")]))
    assert "<script" not in page(ADMITTED, CONTRACT, [], [bad])


def test_the_page_loads_nothing_from_anywhere() -> None:
    markup = page(ADMITTED, CONTRACT, [], [QUARANTINED])
    assert not re.search(r"(src|href)=|url\(|@import", markup)


def test_a_first_delivery_is_compared_with_nothing() -> None:
    assert "Against" not in text(replace(ADMITTED, before_night=None))


def test_rows_of_erased_people_are_told_only_where_there_are_some() -> None:
    assert "erase" not in text()
    assert "counted and kept nowhere" in text(replace(ADMITTED, files=[replace(ADMITTED.files[0], erased=2)]))
