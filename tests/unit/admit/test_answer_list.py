"""The list of rows to correct: what is in it, what is left out, and in which order."""

from __future__ import annotations

import csv
from pathlib import Path
from uuid import UUID

import duckdb

from warehouse.admit.answer.facts import Failed
from warehouse.admit.answer.listing import Limits, Listing, write
from warehouse.contracts.load import load_contract

CONTRACT = load_contract("benefits")
KEYS = [UUID(int=n) for n in range(1, 100)]
# row number, rule, severity, column
Broken = tuple[int, str, str, str | None]
QUARANTINED: Broken = (3, "spell_end_before_start", "quarantine", "end_date")
MESSAGES = {("benefit_spells", "spell_end_before_start"): "The benefit spell ends before it starts", ("claimants", "nino.pattern"): "NINO is odd, or so"}


def violations(folder: Path, table: str, broken: list[Broken]) -> Path:
    """A checkpoint's file of failing rows; row n belongs to record n."""
    path = folder / f"{table}.violations.parquet"
    connection = duckdb.connect()
    connection.execute("create table v (_row_number bigint, rule varchar, severity varchar, column_name varchar, record_id varchar, record_key blob)")
    values = [(number, rule, severity, column, f"CLAIMANT_ID C{number}", KEYS[number - 1].bytes) for number, rule, severity, column in broken]
    if values:
        connection.executemany("insert into v values (?, ?, ?, ?, ?, ?)", values)
    connection.execute(f"copy v to '{path}' (format parquet)")
    return path


def listed(
    folder: Path, tables: dict[str, list[Broken]], failed: tuple[Failed, ...] = (), limits: Limits = Limits(None, 2), erased: tuple[UUID, ...] = ()
) -> tuple[Listing, list[dict[str, str]]]:
    files = {table: [violations(folder, table, broken)] for table, broken in tables.items()}
    listing = write(folder / "answer.csv", CONTRACT, files, failed, MESSAGES, limits, erased)
    with (folder / "answer.csv").open(encoding="utf-8", newline="") as stream:
        return listing, list(csv.DictReader(stream))


def test_a_line_names_row_record_rule_severity_column_and_what_is_wrong(tmp_path: Path) -> None:
    _, lines = listed(tmp_path, {"benefit_spells": [QUARANTINED]})
    assert lines == [
        {
            "table": "benefit_spells", "row_number": "3", "record_id": "CLAIMANT_ID C3", "rule": "spell_end_before_start", "severity": "quarantine",
            "column": "END_DATE", "message": "The benefit spell ends before it starts",
        }
    ]  # fmt: skip


def test_lines_come_in_the_order_of_tables_and_rows(tmp_path: Path) -> None:
    tables: dict[str, list[Broken]] = {
        "benefit_spells": [(9, "b", "warn", None), (2, "c", "quarantine", None), (2, "a", "warn", None)],
        "claimants": [(5, "nino.pattern", "warn", "nino")],
    }
    _, lines = listed(tmp_path, tables)
    assert [(line["table"], line["row_number"], line["rule"]) for line in lines] == [
        ("claimants", "5", "nino.pattern"),
        ("benefit_spells", "2", "a"),
        ("benefit_spells", "2", "c"),
        ("benefit_spells", "9", "b"),
    ]
    assert lines[0]["message"] == "NINO is odd, or so"


def test_every_quarantined_row_is_listed_and_the_first_of_each_warning(tmp_path: Path) -> None:
    broken: list[Broken] = [(n, rule, severity, None) for n in range(1, 6) for rule, severity in (("bad", "quarantine"), ("odd", "warn"))]
    listing, lines = listed(tmp_path, {"claimants": broken})
    assert [line["row_number"] for line in lines if line["rule"] == "bad"] == ["1", "2", "3", "4", "5"]
    assert [line["row_number"] for line in lines if line["rule"] == "odd"] == ["1", "2", ""]
    assert (lines[-1]["rule"], lines[-1]["message"]) == ("odd", "3 more rows break this rule and are not listed")
    assert [(rule.rule, rule.rows) for rule in listing.rules] == [("bad", 5), ("odd", 5)]


def test_of_a_refused_delivery_only_the_first_rows_of_any_rule_are_listed(tmp_path: Path) -> None:
    _, lines = listed(tmp_path, {"claimants": [(n, "bad", "quarantine", None) for n in range(1, 6)]}, limits=Limits(2, 2))
    assert [line["row_number"] for line in lines] == ["1", "2", ""]


def test_what_is_about_the_delivery_comes_first_and_is_not_told_twice(tmp_path: Path) -> None:
    whole = Failed("claimants", "row_count", None, "refuse", 1, 'Too few rows, "all" lost')
    of_rows = Failed("benefit_spells", "spell_end_before_start", "end_date", "quarantine", 1, "The benefit spell ends before it starts")
    listing, lines = listed(tmp_path, {"benefit_spells": [QUARANTINED]}, failed=(whole, of_rows))
    assert listing.whole == [whole]
    assert [(line["rule"], line["row_number"]) for line in lines] == [("row_count", ""), ("spell_end_before_start", "3")]
    assert lines[0]["message"] == whole.message


def test_a_delivery_whose_rows_were_never_read_has_only_what_is_about_it(tmp_path: Path) -> None:
    listing, lines = listed(tmp_path, {}, failed=(Failed("", "truncated_file", None, "refuse", 1, "The file is cut off"),))
    assert listing.rules == [] and [line["rule"] for line in lines] == ["truncated_file"]


def test_rows_of_erased_records_are_not_repeated(tmp_path: Path) -> None:
    broken: list[Broken] = [(1, "bad", "quarantine", None), (2, "bad", "quarantine", None)]
    listing, lines = listed(tmp_path, {"claimants": broken}, erased=(KEYS[1],))
    assert [line["record_id"] for line in lines] == ["CLAIMANT_ID C1"]
    assert [rule.rows for rule in listing.rules] == [1]


def test_the_first_rows_of_a_rule_are_those_that_come_first_in_the_file(tmp_path: Path) -> None:
    listing, _ = listed(tmp_path, {"claimants": [(n, "odd", "warn", None) for n in range(30, 0, -1)]})
    assert listing.rules[0].first == [(n, f"CLAIMANT_ID C{n}") for n in range(1, 11)]
