"""Planted faults: the list says exactly which rows are bad, and why."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from tests.unit.synth.conformity import breaking_rows
from tests.unit.synth.population import FAULTY_PEOPLE, LAYOUTS, NIGHT_DATES, SEED, nights_of

from warehouse.contracts.load import load_suite
from warehouse.synth.generate import generate

FILE_RULES = {"malformed_row", "header"}


def planted(out: Path) -> dict[tuple[str, str, str], dict[str, set[int]]]:
    """Rows planted, by feed, table and night, then by rule."""
    found: dict[tuple[str, str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    with (out / "truth" / "planted_faults.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found[row["feed"], row["table"], row["night"]][row["rule"]].add(int(row["row_number"]))
    return found


@pytest.mark.parametrize(("feed", "table"), list(LAYOUTS))
def test_bad_rows_are_those_listed_and_no_others(faulty: Path, feed: str, table: str) -> None:
    for night in nights_of(feed):
        expected = planted(faulty)[feed, table, night.isoformat()]
        short = expected.get("malformed_row", set())
        # What a short row's last field holds is read as missing; the rule it breaks is its own.
        found = {rule: rows - short for rule, rows in breaking_rows(LAYOUTS[feed, table].path(faulty, night), feed, table, night).items()}
        found = {rule: rows for rule, rows in found.items() if rows}
        assert found == {rule: rows for rule, rows in expected.items() if rule not in FILE_RULES}


def test_short_rows_lack_a_field(faulty: Path) -> None:
    for (feed, table, night), rules in planted(faulty).items():
        layout = LAYOUTS[feed, table]
        with layout.path(faulty, date.fromisoformat(night)).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream, delimiter=layout.contract.format.delimiter))
        short = {number for number, row in enumerate(rows) if len(row) != len(layout.header)}
        assert short == rules.get("malformed_row", set())


def test_every_kind_of_fault_is_planted(faulty: Path) -> None:
    rules = {rule for by_rule in planted(faulty).values() for rule in by_rule}
    aspects = {rule.split(".")[-1] for rule in rules}
    assert {"required", "type", "codes", "pattern", "range", "future", "duplicate_key", "repeated_row", "malformed_row", "header"} <= aspects


def test_nearly_every_rule_of_the_suites_is_planted(faulty: Path) -> None:
    # A list of a few priority offenders has room for hardly any.
    tables = [(feed, table) for feed, table in LAYOUTS if feed != "priority_offenders"]
    written = {(feed, table, rule.rule) for feed, table in tables for rule in load_suite(feed).rules(table) if rule.severity != "refuse"}
    found = {(feed, table, rule) for (feed, table, _), by_rule in planted(faulty).items() for rule in by_rule}
    # Small tables have room for only some of their rules.
    assert len(written & found) > 0.9 * len(written), sorted(written - found)


def test_the_third_night_brings_a_housing_file_with_a_wrong_header(faulty: Path) -> None:
    assert planted(faulty)["housing", "cases", NIGHT_DATES[2].isoformat()] == {"header": {0}}
    first_line = LAYOUTS["housing", "cases"].path(faulty, NIGHT_DATES[2]).read_text(encoding="utf-8").split("\n", 1)[0]
    assert first_line.split(",") != LAYOUTS["housing", "cases"].header
    assert not [key for key in planted(faulty) if key[0] == "housing" and key[2] == NIGHT_DATES[2].isoformat() and key[1] != "cases"]


def test_one_more_night_keeps_the_list_of_the_nights_before(faulty: Path, tmp_path: Path) -> None:
    generate(tmp_path, FAULTY_PEOPLE, 2, SEED, faults=True)
    generate(tmp_path, FAULTY_PEOPLE, 3, SEED, faults=True, only_nights=[2])
    assert planted(tmp_path) == planted(faulty)


def test_no_faults_unless_asked(population: Path) -> None:
    assert planted(population) == {}
