"""The parsing expressions in Postgres: no text raises an error, and keys are HMAC-SHA-256."""

import hashlib
import hmac
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.deliveries import deliver, golden_inbox, query

from warehouse.admit.parse import date_expression
from warehouse.database import connect
from warehouse.settings import settings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("29/02/2024", date(2024, 2, 29)),
        ("29/02/2023", None),
        ("29/02/2000", date(2000, 2, 29)),
        ("29/02/1900", None),
        ("30/02/2024", None),
        ("31/04/2024", None),
        ("30/04/2024", date(2024, 4, 30)),
        ("31/12/1999", date(1999, 12, 31)),
        ("00/01/2024", None),
        ("32/01/2024", None),
        ("01/00/2024", None),
        ("01/13/2024", None),
        ("01/01/0000", None),
        ("01/01/3024", None),
        ("1/1/2024", None),
        ("2024-01-01", None),
        ("01/01/2024 00:00", None),
        ("01/01/2024\n", None),
        ("٠١/٠١/٢٠٢٤", None),
        ("infinity", None),
        ("", None),
    ],
)
def test_dates(warehouse_db: Path, text: str, value: date | None) -> None:
    assert query(f"select {date_expression('t', 'DD/MM/YYYY')} from (values (%s)) as v (t)", text) == [(value,)]


@pytest.mark.parametrize(("date_format", "text"), [("YYYY-MM-DD", "2024-02-29"), ("YYYYMMDD", "20240229"), ("MM.DD.YYYY", "02.29.2024")])
def test_other_date_formats(warehouse_db: Path, date_format: str, text: str) -> None:
    assert query(f"select {date_expression('t', date_format)} from (values (%s)) as v (t)", text) == [(date(2024, 2, 29),)]


def test_every_day_of_four_centuries_and_nothing_else_is_a_date(warehouse_db: Path) -> None:
    with connect("admin") as connection:
        (wrong,) = connection.execute(
            f"""
            select count(*) from (
                select format('%%s-%%s-%%s', y, lpad(m::text, 2, '0'), lpad(d::text, 2, '0')) as t, y, m, d
                from generate_series(1890, 2110) as y, generate_series(0, 13) as m, generate_series(0, 32) as d
            ) as v
            left join generate_series(date '1890-01-01', date '2110-12-31', '1 day') as day on day::date::text = t
            where ({date_expression("t", "YYYY-MM-DD")}) is distinct from day::date
            """,
            [],
        ).fetchone() or (None,)
    assert wrong == 0


def test_keys_are_hmacs_and_agree_between_tables_of_a_feed(clean_db: Path, tmp_path: Path) -> None:
    deliver("police", golden_inbox(tmp_path, "police", "night_1"), "night_1")
    key = settings().feed_key("police")

    def keyed(*message: str) -> UUID:
        return UUID(bytes=hmac.new(key, "\x1f".join(message).encode(), hashlib.sha256).digest()[:16])

    assert query("select record_key, row_key from source.police__offences where _row_number = 1") == [(keyed("record_key", "N1"), keyed("row_key", "N1", "O1"))]
    assert query("select row_key from vault.police__aliases where alias_no = 2") == [(keyed("row_key", "N1", "2"),)]
    assert query("select count(*) from source.police__offences as o join vault.police__nominals as n using (record_key)") == [(3,)]
