"""The check that no two versions of a link stand on the same night, on versions laid out by hand."""

from __future__ import annotations

import re

import duckdb
import pytest
from jinja2 import Environment

from warehouse.settings import settings

EARLY, MIDDLE, LATE = "2026-01-01", "2026-02-01", "2026-03-01"
Version = tuple[str, str, str | None]


def overlapping(versions: list[Version]) -> int:
    """How many versions the check complains of; a version is a record, its first night and the night it no longer stands."""
    text = (settings().dbt_project_dir / "tests" / "generic" / "versions_apart.sql").read_text(encoding="utf-8")
    as_macro = re.sub(r"{% (end)?test", r"{% \1macro", text)
    query = Environment(autoescape=False).from_string(as_macro).module.versions_apart("versions", ["record", "certainty"], "begun", "ended")  # type: ignore[attr-defined]
    with duckdb.connect() as connection:
        connection.execute("create table versions (record text, certainty text, begun date, ended date)")
        connection.executemany("insert into versions values (?, 'balanced', ?, ?)", versions)
        return len(connection.execute(query).fetchall())


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([("a", EARLY, MIDDLE), ("a", MIDDLE, None)], id="one follows the other"),
        pytest.param([("a", EARLY, MIDDLE), ("a", LATE, None)], id="a gap between them"),
        pytest.param([("a", EARLY, LATE), ("b", MIDDLE, None)], id="of two records"),
        pytest.param([("a", EARLY, None), ("a", MIDDLE, MIDDLE)], id="one that never stood"),
    ],
)
def test_versions_that_lie_apart_pass(versions: list[Version]) -> None:
    assert overlapping(versions) == 0


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([("a", EARLY, LATE), ("a", MIDDLE, None)], id="the next begins before the end"),
        pytest.param([("a", EARLY, None), ("a", MIDDLE, LATE)], id="one within another that goes on"),
        pytest.param([("a", EARLY, LATE), ("a", MIDDLE, LATE)], id="both have ended"),
    ],
)
def test_versions_of_one_night_are_found(versions: list[Version]) -> None:
    assert overlapping(versions) > 0
