"""The published exit table of 2007-08, reproduced to the person from rows that have those codes.

Source: Hansard, 15 January 2009: 69,612 people discharged with a reason, 30 more without one.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wipe

from warehouse.database import connect
from warehouse.model import runner

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
# Discharge reason of the list of that time, its group here, people, and the percentage as printed.
TABLE = [
    (1, "completed free of all", 7_324, 11),
    (2, "completed (legacy)", 17_306, 25),
    (5, "referred on", 10_811, 16),
    (6, "dropped out", 19_591, 28),
    (8, "prison", 4_240, 6),
    (10, "other", 2_817, 4),
    (12, "declined", 2_169, 3),
    (3, "withdrawn", 2_078, 3),
    (7, "moved away", 1_605, 2),
    (9, "died", 784, 1),
    (11, "unknown", 520, 1),
    (4, "no appropriate treatment", 367, 1),
    (None, "missing", 30, None),
]
ROWS = """
insert into source.treatment__ndtms
    (record_key, episode_key, row_key, consent, sex, birth_year, agncy, dat, drug1, triaged, disd, disrsn, _delivery_id, _row_number, _row_hash, _valid_from)
select key, key, key, true, 'M', 1975, 'N0001', 'A09B', '1011', date '2006-12-01', date '2007-04-01' + n %% 366, %(code)s, 1, n, key, %(night)s
from generate_series(1, %(people)s) as person (n)
cross join lateral (select md5(concat_ws('|', %(code)s::text, n))::uuid) as made (key)
"""
LINKS = """
insert into linkage.person_link (record_key, feed, person_id, certainty, _valid_from)
select record_key, 'treatment', md5(concat_ws('|', certainty, record_key))::uuid, certainty, _valid_from
from source.treatment__ndtms
cross join unnest(array['strict', 'balanced', 'inclusive']) as level (certainty)
"""
DELIVERY = """
insert into ops.delivery (feed, night, content_hash, status, coverage_end) values ('treatment', %(night)s, 'made up', 'admitted', %(night)s)
"""


@pytest.fixture(scope="module")
def exit_tables(warehouse_db: Path) -> dict[str, list[Any]]:
    """`rpt_exit_reasons` and `published_exit_reasons` of England, built from the rows by dbt."""
    wipe()
    with connect("admin") as connection:
        for code, _, people, _ in TABLE:
            connection.execute(ROWS, {"code": None if code is None else str(code), "people": people, "night": NIGHT})
        connection.execute(LINKS)
        connection.execute(DELIVERY, {"night": NIGHT})
    variables = {"slot": "blue", "as_at": NIGHT.isoformat()}
    chosen = ("--select", "+rpt_exit_reasons", "+published_exit_reasons", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
    invocation = runner.invoke(("build", *chosen), variables)
    assert invocation.error is None and [str(result) for result in invocation.results if result.has_failed] == []
    england = "area_level = 'country' and area_code = 'E92000001' and end_financial_year = '2007-08' and drug_group = 'all'"
    with connect("transformer") as connection:
        return {
            "rpt": connection.execute(
                f"select certainty, exit_reason, journeys, percent::float8, is_complete from marts_blue.rpt_exit_reasons where {england}"
            ).fetchall(),
            "published": connection.execute(f"select exit_reason, journeys from published_blue.published_exit_reasons where {england}").fetchall(),
        }


@pytest.mark.parametrize("certainty", ["strict", "balanced", "inclusive"])
def test_every_reason_has_its_people(exit_tables: dict[str, list[Any]], certainty: str) -> None:
    found = {reason: people for level, reason, people, *_ in exit_tables["rpt"] if level == certainty}
    assert found == {reason: people for _, reason, people, _ in TABLE} | {"all": 69_642}


def test_percentages_are_those_printed(exit_tables: dict[str, list[Any]]) -> None:
    found = {str(reason): percent for level, reason, _, percent, _ in exit_tables["rpt"] if level == "balanced"}
    printed = {reason: percent for _, reason, _, percent in TABLE}
    assert {reason: None if percent is None else round(float(str(percent))) for reason, percent in found.items() if reason != "all"} == printed
    assert all(is_complete for *_, is_complete in exit_tables["rpt"])


def test_the_published_table_is_rounded_to_five(exit_tables: dict[str, list[Any]]) -> None:
    rounded = {reason: 5 * round(people / 5) for _, reason, people, _ in TABLE}
    assert dict(exit_tables["published"]) == rounded | {"all": 69_640}
