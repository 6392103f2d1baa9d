"""Fingerprints tell whether the content of a published table changed, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.published_marts import FIRST_NIGHT, build

from warehouse.database import connect
from warehouse.publish import gate
from warehouse.publish.fingerprint import fingerprints
from warehouse.publish.stage import publish

pytestmark = pytest.mark.integration

ROWS = "(1, 'a', date '2026-01-31', 0.1::float8), (2, null, null, null), (3, 'c', '2026-02-28', 1e-7)"


@pytest.fixture(autouse=True)
def one_mart(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "expected_tables", lambda: {"marts": frozenset({"facts"}), "published": frozenset()})


def fingerprint_of(select: str) -> tuple[int, str]:
    build(FIRST_NIGHT, "drop table if exists marts_{slot}.facts", "create table marts_{slot}.facts as " + select)
    publish(FIRST_NIGHT)
    return fingerprints()["marts.facts"]


def test_order_of_rows_and_columns_does_not_matter_and_content_does() -> None:
    named = f"(values {ROWS}) v (id, label, day, rate)"
    original = fingerprint_of(f"select * from {named}")
    assert original[0] == 3
    assert fingerprint_of(f"select rate, day, label, id from {named} order by id desc") == original
    assert fingerprint_of(f"select id, label, day, rate + 1e-12 as rate from {named}") != original
    assert fingerprint_of(f"select id, coalesce(label, '') as label, day, rate from {named}") != original
    twice = fingerprint_of(f"select * from {named} union all select * from {named} union all select * from {named} where id = 1")
    assert twice[0] == 7
    assert twice[1] != original[1]


def test_settings_of_a_session_do_not_matter() -> None:
    before = fingerprint_of("select timestamptz '2026-06-01 12:00+00' as moment, date '2026-06-01' as day, interval '1 day' as span, 0.1::float8 as rate")
    try:
        with connect("admin") as connection:
            connection.execute("alter role wh_analyst set timezone = 'Europe/London'")
            connection.execute("alter role wh_analyst set datestyle = 'SQL, DMY'")
            connection.execute("alter role wh_analyst set extra_float_digits = -3")
        assert fingerprints()["marts.facts"] == before
    finally:
        with connect("admin") as connection:
            connection.execute("alter role wh_analyst reset all")


def test_an_empty_table_has_a_fingerprint() -> None:
    count, digest = fingerprint_of("select 1 as id where false")
    assert count == 0
    assert len(digest) == 32
