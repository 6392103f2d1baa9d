"""The model stage against a real Postgres: empty sources, rows that fail, and the slot a build goes to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from warehouse.database import connect
from warehouse.model import runner, stage
from warehouse.model.errors import ModelBuildFailed
from warehouse.model.stage import LAYERS, NIGHTLY_BUILD, build

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
# What a row holds that no message and no file may repeat.
KEY = "c0ffee00-feed-4bad-8bad-badc0ffee000"
PLANTED = "Quillfeather"
NOMINAL = """
insert into source.police__nominals (record_key, row_key, sex, birth_year, force_code, _delivery_id, _row_number, _row_hash, _valid_from)
values (%(key)s, %(key)s, %(sex)s, 1980, 'E23000013', 1, 1, gen_random_uuid(), %(night)s)
"""
CLAIM = """
insert into source.benefits__benefit_spells
    (record_key, row_key, benefit_type, start_date, end_date, _delivery_id, _row_number, _row_hash, _valid_from)
values (%(key)s, gen_random_uuid(), 'JSA', %(start)s, %(end)s, 1, 1, gen_random_uuid(), %(night)s)
"""
# The marts that two tests look at, with what they are made from: whole nights are built in `tests/night` and `tests/scenarios`.
LOOKED_AT = ("dim_person", "fct_benefit_spells")
LINK = "insert into linkage.person_link (record_key, feed, person_id, _valid_from) values (%(key)s, 'police', %(key)s, %(night)s)"


def put(*statements: str, **values: Any) -> None:
    with connect("admin") as connection:
        for statement in statements:
            connection.execute(statement, {"key": KEY, "night": NIGHT, **values})


def test_an_empty_warehouse_builds_and_every_unit_test_passes(clean_db: Path) -> None:
    invocation = runner.invoke(["build"], {"slot": "blue", "as_at": NIGHT.isoformat()})
    assert invocation.error is None
    assert [str(result) for result in invocation.results if result.status not in ("success", "pass", "no-op")] == []
    assert sum(result.kind == "unit_test" for result in invocation.results) >= 20
    # Models fitted in Python meet tables without a row: what they write has no figure, and dbt and the report can read it.
    build(NIGHT, "estimates")
    published = runner.invoke(["run", "--select", "path:models/marts/estimates+"], {"slot": "blue", "as_at": NIGHT.isoformat()})
    assert published.error is None and not [result for result in published.results if result.has_failed]


@pytest.fixture
def lower_layers(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function that builds the layers below the marts; the marts too are then built no further than is looked at."""
    layers = {layer: (*NIGHTLY_BUILD, "--select", *(f"+{mart},path:models/{layer}" for mart in LOOKED_AT), "--exclude", "source:*") for layer in LAYERS[1:4]}
    monkeypatch.setattr(stage, "COMMANDS", {"seeds": ("seed", "--full-refresh", "--select", *(f"+{mart}" for mart in LOOKED_AT)), **layers})

    def build_them() -> None:
        for layer in LAYERS[:3]:
            build(NIGHT, layer)

    return build_them


def test_the_same_night_twice_goes_to_the_idle_slot_with_the_same_rows(lower_layers: Callable[[], None]) -> None:
    put(NOMINAL, LINK, sex="F")
    put(CLAIM, start=date(2024, 1, 1), end=date(2024, 1, 31))
    lower_layers()
    counts = build(NIGHT, "marts")
    assert counts["dim_person"] == 1 and counts["fct_benefit_spells"] == 1
    put("insert into ops.publication (night, slot, is_live) values (%(night)s, 'blue', true)")
    assert build(NIGHT, "marts") == counts
    with connect("transformer") as connection:
        for table in ("dim_person", "fct_benefit_spells"):
            rows = [connection.execute(f"select * from marts_{slot}.{table}").fetchall() for slot in ("blue", "green")]
            assert rows[0] == rows[1]


def test_what_fails_stops_the_build_and_names_no_value(lower_layers: Callable[[], None]) -> None:
    """A value that no code list knows, and a date that is missing: the database's words repeat whole rows."""
    put(NOMINAL, LINK, sex=PLANTED)
    put(CLAIM, start=None, end=date(2024, 1, 31))
    lower_layers()
    with pytest.raises(ModelBuildFailed) as failure:
        build(NIGHT, "marts")
    message = str(failure.value)
    assert 'model dim_person (new row for relation "dim_person' in message and 'violates check constraint "dim_person' in message
    assert 'model fct_benefit_spells (null value in column "start_date"' in message
    written = b"".join(path.read_bytes() for path in runner.work_dir().rglob("*") if path.is_file())
    for value in (PLANTED, KEY):
        assert value not in message and value.encode() not in written
    with connect("transformer") as connection:
        assert connection.execute("select status from ops.stage_run where stage = 'model.marts'").fetchone() == ("failed",)


def test_there_are_five_layers() -> None:
    with pytest.raises(ValueError, match="There is no layer called 'gold'"):
        build(NIGHT, "gold")
