"""A mart as it stood on a past night: built beside the live tables, which stay as they are."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from warehouse.database import connect
from warehouse.model import past, runner, state

pytestmark = pytest.mark.integration

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
NOMINAL = """
insert into source.police__nominals (record_key, row_key, sex, birth_year, force_code, _delivery_id, _row_number, _row_hash, _valid_from, _valid_to)
values (%(key)s, gen_random_uuid(), %(sex)s, 1980, 'E23000013', 1, 1, gen_random_uuid(), %(from)s, %(to)s)
"""
LINK = "insert into linkage.person_link (record_key, feed, person_id, _valid_from) values (%(key)s, 'police', %(key)s, %(from)s)"
DELIVERY = "insert into ops.delivery (feed, night, content_hash, status) values ('police', %s, %s, 'admitted')"
LIVE = {"slot": "blue", "as_at": SECOND.isoformat()}
KEYS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002")


def people(night: date) -> set[tuple[str, str]]:
    text = b"".join(past.rows(night, "dim_person")).decode()
    return {(row["person_id"], row["sex"]) for row in csv.DictReader(io.StringIO(text))}


def test_a_past_night_is_built_beside_the_live_tables(clean_db: Path) -> None:
    """The first night knew one person, as a woman; the second corrects that and brings another person."""
    with connect("admin") as connection:
        connection.execute(NOMINAL, {"key": KEYS[0], "sex": "F", "from": FIRST, "to": SECOND})
        connection.execute(NOMINAL, {"key": KEYS[0], "sex": "M", "from": SECOND, "to": None})
        connection.execute(NOMINAL, {"key": KEYS[1], "sex": "F", "from": SECOND, "to": None})
        for key, night in zip(KEYS, (FIRST, SECOND), strict=True):
            connection.execute(LINK, {"key": key, "from": night})
            connection.execute(DELIVERY, [night, str(night)])
    built = runner.invoke(("build", "--select", "+dim_person", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"), LIVE)
    assert built.error is None
    with connect("transformer") as connection:
        state.plan(connection, SECOND)
    before = _state()
    assert people(FIRST) == {(KEYS[0], "F")}
    assert _state() == before, "neither the live tables nor what the next build starts from has changed"
    with pytest.raises(ValueError, match="Nothing had been loaded by 2026-10-31"):
        people(date(2026, 10, 31))
    with pytest.raises(ValueError, match="There is no table 'int_persons' in marts or published"):
        list(past.rows(FIRST, "int_persons"))


def _state() -> list[object]:
    with connect("transformer") as connection:
        queries = (
            "select person_id, sex from marts_blue.dim_person order by person_id",
            "select * from intermediate.model_build order by version",
            "select person_id, sex from intermediate.int_persons order by person_id",
            "select nspname from pg_namespace where nspname not like 'pg_%' order by nspname",
        )
        return [connection.execute(query).fetchall() for query in queries]
