"""Great Expectations' verdicts: every rule is judged and recorded, from what the rows broke, and nothing is left in landing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.deliveries import NIGHTS, golden_inbox, golden_rows, query, write_inbox

from warehouse.admit import checkpoint, stage
from warehouse.admit.checks import Judge
from warehouse.admit.errors import AdmitFault, DeliveryRefused
from warehouse.contracts.load import load_contract
from warehouse.contracts.suite import Rule, build
from warehouse.database import connect
from warehouse.receive.stage import receive

pytestmark = pytest.mark.integration


def loaded(feed: str, inbox: Path) -> int:
    delivery_id = receive(feed, inbox, NIGHTS["night_1"])
    assert delivery_id is not None
    stage.load(delivery_id)
    return delivery_id


def landing_tables() -> list[Any]:
    return query("select tablename from pg_tables where schemaname = 'landing'")


def test_every_rule_is_recorded_with_the_rows_it_was_asked_of(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = loaded("police", golden_inbox(tmp_path, "police", "night_1"))
    stage.check(delivery_id)
    recorded = set(query("select table_name, rule from ops.check_result where delivery_id = %s", delivery_id))
    assert {(part.table.name, rule.code) for part in build(load_contract("police")) for rule in part.rules} <= recorded
    asked = query("select checked_rows from ops.check_result where delivery_id = %s and table_name = 'nominals' and rule = 'surname.required'", delivery_id)
    deletions = [row for row in golden_rows("police", "nominals") if row["CHANGE_TYPE"] == "D"]
    assert asked == [(len(golden_rows("police", "nominals")) - len(deletions),)]
    assert landing_tables() == []


def test_a_check_after_a_killed_one_finds_a_clean_landing(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = loaded("police", golden_inbox(tmp_path, "police", "night_1"))
    with connect("loader") as connection:
        connection.execute("create unlogged table landing.police__nominals__violation (_row_number bigint, rule text)")
        connection.execute("insert into landing.police__nominals__violation values (1, 'sex.codes')")
    stage.check(delivery_id)
    assert query("select status from ops.delivery") == [("checked",)] and landing_tables() == []


def test_a_verdict_on_other_rows_than_were_found_is_a_fault_of_ours(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery_id = loaded("police", golden_inbox(tmp_path, "police", "night_1"))
    known = checkpoint.facts(delivery_id)
    nominals = known.tables["nominals"]
    rules = [replace(rule, failed_rows=rule.failed_rows + 1) if rule.rule == "sex.codes" else rule for rule in nominals.rules]
    monkeypatch.setattr(checkpoint, "facts", lambda _: replace(known, tables=known.tables | {"nominals": replace(nominals, rules=rules)}))
    with pytest.raises(AdmitFault, match=r"The rule sex\.codes of police__nominals was broken by \d+ rows, but \d+ were judged"):
        stage.check(delivery_id)
    assert query("select status from ops.delivery") == [("loaded",)] and landing_tables() == []


def test_too_few_rows_refuse_a_delivery_by_the_thresholds(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = loaded("treatment", write_inbox(tmp_path, "treatment", {"ndtms": []}))
    with pytest.raises(DeliveryRefused, match=r"The number of rows of ndtms is not within its limits: at least 1.*\[row_count\]"):
        stage.check(delivery_id)
    assert query("select failed_rows from ops.check_result where rule = 'row_count'") == [(1,)] and landing_tables() == []


@pytest.mark.parametrize(
    ("kwargs", "holds"),
    [
        ({"of": "rows", "min_value": 3, "max_value": 3}, True),
        ({"of": "rows", "min_value": 4}, False),
        ({"of": "rows", "max_value": 2.9}, False),
        ({"of": "rows"}, True),
        ({"of": "it's {not} there", "max_value": 2}, False),
    ],
)
def test_a_measure_must_be_there_and_lie_between_its_bounds(clean_db: Path, kwargs: dict[str, Any], holds: bool) -> None:
    with connect("loader") as connection:
        connection.execute("create unlogged table landing.measures (name text primary key, value double precision not null)")
        connection.execute("insert into landing.measures values ('rows', 3)")
    judging = Judge()
    try:
        (verdict,) = judging.delivery("measures", [Rule("a_rule", None, "expect_profile_value_to_be_between", kwargs, "warn", "A message {with} braces")])
    finally:
        judging.close()
        with connect("loader") as connection:
            connection.execute("drop table landing.measures")
    assert verdict.holds is holds
