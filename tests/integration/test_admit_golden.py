"""The golden files of every feed: exact counts per rule, table and night, and nothing of a person in what is reported."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.deliveries import GOLDEN, deliver, golden_inbox, query

from warehouse.contracts.load import feeds

pytestmark = pytest.mark.integration

# What the golden files hold of (invented) people; none of it may be in messages or counts.
VALUES = ["Quill", "Testcase", "Maiden", "1980-04-12", "12/04/1980", "QQ123456A", "Sample Street", "AB1 2", "HC1", "N0852", "31/02/1980"]


@pytest.mark.parametrize("feed", feeds())
def test_golden_nights(feed: str, clean_db: Path, tmp_path: Path) -> None:
    expected = yaml.safe_load((GOLDEN / feed / "expected.yaml").read_text(encoding="utf-8"))
    for night, wanted in expected.items():
        delivery_id = deliver(feed, golden_inbox(tmp_path, feed, night), night)
        for table, of_table in wanted["tables"].items():
            assert observed(feed, table, delivery_id) == of_table, f"{night} {table}"
        (counts,) = query("select counts from ops.stage_run where feed = %s and stage = 'admit' order by stage_run_id desc limit 1", feed)[0]
        assert counts["closed"] == wanted["closed"]
    told = query("select concat_ws(' ', table_name, rule, column_name, message) from ops.check_result")
    assert not [value for value in VALUES if any(value in message for (message,) in told)]


def observed(feed: str, table: str, delivery_id: int) -> dict[str, Any]:
    rows = query(
        "select rows_received, rows_admitted, rows_quarantined, rows_unchanged from ops.delivery_file where delivery_id = %s and table_name = %s",
        delivery_id,
        table,
    )[0]
    failed = query("select rule, failed_rows from ops.check_result where delivery_id = %s and table_name = %s and failed_rows > 0", delivery_id, table)
    versions: dict[str, int] = {}
    for zone in ("source", "vault"):
        if query("select to_regclass(%s)", f"{zone}.{feed}__{table}") != [(None,)]:
            counts = query(f"select count(*) filter (where _valid_to is null), count(*) filter (where _valid_to is not null) from {zone}.{feed}__{table}")[0]
            versions |= {f"{zone}_current": counts[0], f"{zone}_ended": counts[1]}
    return {"rows": dict(zip(("received", "admitted", "quarantined", "unchanged"), rows, strict=True)), "rules": dict(failed), "versions": versions}


def test_every_golden_table_is_covered() -> None:
    from warehouse.contracts.load import load_contract

    for feed in feeds():
        expected = yaml.safe_load((GOLDEN / feed / "expected.yaml").read_text(encoding="utf-8"))
        assert set(expected["night_1"]["tables"]) == set(load_contract(feed).tables)


def test_refused_rows_are_kept_as_they_came_with_their_rules(clean_db: Path, tmp_path: Path) -> None:
    deliver("treatment", golden_inbox(tmp_path, "treatment", "night_1"), "night_1")
    kept = {number: (rules, raw) for number, rules, raw in query("select row_number, rules, raw from quarantine.refused_row")}
    assert kept[7][0] == ["dob.type"] and kept[7][1]["dob"] == "31/02/1980"
    assert kept[27][0] == ["finitial.required", "sex.codes"]
    assert kept[28] == (["malformed_row"], {"fields": ["N0852", "too", "few", "fields"]})
