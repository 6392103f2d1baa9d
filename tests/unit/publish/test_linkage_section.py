"""The report's section on linkage: shows what was measured, leaves out what was not, keeps small groups to itself."""

from __future__ import annotations

from datetime import date

import pytest

from warehouse.publish.facts import Linkage
from warehouse.publish.report.blocks import Figure, Note, Section, Table
from warehouse.publish.report.history import History
from warehouse.publish.report.linkage_accuracy import UNKNOWN
from warehouse.publish.report.linkage_quality import rule_words
from warehouse.publish.report.linkage_section import linkage_section

NIGHT = date(2026, 11, 2)
BASE = {("persons_total", "", ""): 900.0, ("records", "police", ""): 700.0, ("persons", "police", ""): 600.0, ("person_created", "", ""): 12.0}
MEASURED = {
    ("persons_total_strict", "", ""): 950.0,
    ("persons_total_inclusive", "", ""): 880.0,
    ("largest_cluster", "", ""): 9.0,
    ("churn", "", ""): 0.0005,
    ("completeness_dob", "police", ""): 0.98,
    ("candidates_by_rule", "named", "surname_sound, dob"): 1200.0,
    ("edges_by_rule", "named", "surname_sound, dob"): 300.0,
    ("candidates_by_rule", "minimal", "dob, sectors"): 40.0,
    ("edges_by_weight", "link-9", "-2"): 4.0,
    ("edges_by_weight", "link-9", "12"): 290.0,
    ("edges_by_level", "link-9", "strict"): 290.0,
    ("edges_of_feeds", "police", "police"): 3.0,
    ("truth_named_pair_recall", "", ""): 0.95,
    ("truth_named_pair_recall", "sex", "F"): 0.91,
    ("truth_named_pair_precision", "sex", "F"): 0.99,
    ("truth_named_records", "sex", "F"): 300.0,
    ("truth_client_to_person_recall", "sex", "F"): 0.5,
    ("truth_clients_known", "sex", "F"): 4.0,
    ("truth_named_pair_recall", "certainty", "strict"): 0.9,
    ("review_precision", "named", "balanced"): 0.99,
    ("review_precision_low", "named", "balanced"): 0.97,
    ("review_precision_high", "named", "balanced"): 0.995,
    ("review_recall", "named", "balanced"): 0.94,
    ("review_recall_low", "named", "balanced"): 0.9,
    ("review_recall_high", "named", "balanced"): 0.96,
}


@pytest.fixture(scope="module")
def section() -> Section:
    return linkage_section(Linkage(BASE | MEASURED), History(metrics={"person_created": {NIGHT: 12.0}, "churn": {NIGHT: 0.0005}}))


def table(section: Section, caption: str) -> list[list[str]]:
    return [list(row) for block in section.blocks if isinstance(block, Table) and block.caption.startswith(caption) for row in block.rows]


def test_the_certainties_stand_side_by_side(section: Section) -> None:
    assert table(section, "The three certainties") == [["strict", "950", "0", ""], ["balanced", "900", "9", "0.050%"], ["inclusive", "880", "0", ""]]


def test_churn_stands_beside_the_events(section: Section) -> None:
    assert table(section, "Changes of person ids") == [["2026-11-02", "12", "0.050%"]]


def test_rules_are_told_in_words_with_what_came_of_them(section: Section) -> None:
    assert table(section, "Records with names: pairs by blocking rule") == [["sound of surname, date of birth", "1,200", "300"]]
    assert table(section, "Records with initials alone: pairs") == [["date of birth, a sector", "40", "0"]]
    assert rule_words("forename = surname, surname = forename, birth_year") == "names swapped, year of birth"


def test_groups_of_few_cases_are_not_told(section: Section) -> None:
    assert table(section, "Accuracy by group") == [["sex", "F", "99.00%", "91.00%", "too few", "too few"]]


def test_verdicts_stand_with_their_intervals(section: Section) -> None:
    assert table(section, "Links by stewards' verdicts") == [["Records with names", "balanced", "99.0% (97.0% to 99.5%)", "94.0% (90.0% to 96.0%)"]]


def test_pairs_of_feeds_with_few_edges_are_masked(section: Section) -> None:
    assert table(section, "Edges by pair of feeds") == [["police", "police", "fewer than 5"]]


def test_every_chart_has_words_and_ids_of_its_own(section: Section) -> None:
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    assert len(figures) >= 7
    assert all(figure.alt and figure.svg.startswith("<svg") for figure in figures)
    assert len({figure.caption for figure in figures}) == len(figures)


def test_measures_with_tables_of_their_own_are_not_told_twice(section: Section) -> None:
    names = {row[0] for row in table(section, "All measures")}
    assert "Persons total" in names
    assert not {name for name in names if name.startswith(("Edges by", "Candidates by", "Review", "Truth named records"))}


def test_what_was_not_measured_is_left_out() -> None:
    section = linkage_section(Linkage(BASE), History())
    assert not table(section, "The three certainties")
    assert any(getattr(block, "text", "") == UNKNOWN for block in section.blocks)


def test_links_that_are_the_truth_are_told_first() -> None:
    first = linkage_section(Linkage(BASE | {("links_are_the_truth", "", ""): 1.0}), History()).blocks[0]
    assert isinstance(first, Note) and first.is_warning and "a file of the truth" in first.text
    assert not any(isinstance(block, Note) and block.is_warning for block in linkage_section(Linkage(BASE), History()).blocks)
